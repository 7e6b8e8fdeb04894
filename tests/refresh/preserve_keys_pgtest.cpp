// By what a preserved row is known where its table has no plain natural key, and what becomes of rows whose
// keys, numbers and values do not fit together. Each row is looked at by the name of its entity.
#include <chrono>
#include <thread>

#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

TEST_CASE("nobody is known by a generated key: expressions, generated columns, nullable and partial keys",
          "[preserve]") {
    const std::string shared = R"(
        create table by_lower (id serial primary key, login text not null);
        create unique index on by_lower (lower(login));
        create table by_made (id serial primary key, login text not null, low text generated always as (lower(login)) stored not null unique);
        create table by_null (id serial primary key, login text unique);
        create table by_part (id serial primary key, login text, gone bool not null default false);
        create unique index on by_part (login) where not gone;
        create table rights (a int references by_lower, b int references by_made, c int references by_null, d int references by_part, what text not null unique);)";
    const auto people = [](const std::vector<std::string>& names) {
        std::string sql;
        for (const std::string table : {"by_lower", "by_made", "by_null", "by_part"})
            for (const std::string& name : names)
                sql += "insert into " + table + " (login) values ('" + name + "');";
        return sql;
    };
    Pair pair(shared + people({"admin", "bob"}) + R"(
        insert into by_null (login) values (null); insert into by_part (login, gone) values ('old', true);
        insert into rights values (1, 1, 1, 1, 'admin of prod');)",
              shared + people({"eve", "Admin"}) + R"(
        update by_null set login = 'admin' where id = 2; update by_part set login = 'admin' where id = 2;
        insert into by_null (login) values (null); insert into by_part (login, gone) values ('eve', true);
        insert into rights select i, i, i, i, case i when 1 then 'eve' else 'admin' end from generate_series(1, 2) i;
        insert into rights values (null, null, 3, 3, 'none');)");
    std::vector<std::string> all;
    SECTION("preserved") {
        for (const char* table : {"by_lower", "by_made", "by_null", "by_part", "rights"})
            all.insert(all.end(), {"--preserve", table});
        refresh_as_planned(pair, all);
        for (const std::string table : {"by_lower a on a.id = r.a", "by_made a on a.id = r.b",
                                        "by_null a on a.id = r.c", "by_part a on a.id = r.d"}) {
            INFO(table);
            CHECK(pair.target().lines("select r.what, a.login from rights r join " + table +
                                      " where what <> 'none' order by 1") ==
                  "admin|admin\nadmin of prod|admin\neve|eve\n");
        }
        CHECK(pair.target().lines("select login, count(*) from by_null group by 1 order by 1") ==
              "admin|1\nbob|1\neve|1\n|1\n");
        CHECK(pair.target().lines("select login, gone, count(*) from by_part group by 1, 2 order by 1, 2") ==
              "admin|f|1\nbob|f|1\neve|f|1\neve|t|1\nold|t|1\n");
        CHECK(rejected(pair).empty());
        refresh_as_planned(pair, all);
        CHECK(pair.target().value("select count(*) from by_part") == "5");
        CHECK(pair.target().value("select count(*) from by_null") == "4");
    }
}

TEST_CASE("an extra's reference is matched by such a key too", "[preserve]") {
    const std::string shared = "create table by_lower (id serial primary key, login text);"
                               "create unique index on by_lower (lower(login)) where login <> '';";
    Pair pair(shared + "insert into by_lower (login) values ('admin'), ('bob'), (null);", shared + R"(
        insert into by_lower (login) values ('eve'), ('Admin'), (null);
        create table notes (who int references by_lower, txt text);
        insert into notes values (1, 'eve'), (2, 'admin'), (3, 'nobody');)");
    refresh_as_planned(pair, {});
    CHECK(pair.target().lines(
              "select n.txt, n.who, u.login from notes n left join by_lower u on u.id = n.who order by 1") ==
          "admin|1|admin\neve||\nnobody|3|\n");
}

TEST_CASE("under one generated key there is one entity only if all else is equal, or the last run brought it",
          "[preserve]") {
    const std::string shared = R"(
        create table man (id serial primary key, name text, pet int);
        create table pet (id serial primary key, name text, man int references man);
        alter table man add foreign key (pet) references pet;
        create table doc (id serial primary key, title text, up int references doc);
        create table ur (id serial primary key, who text, role text);)";
    const std::string couples =
        R"(insert into man (name) values ('ann'), ('bob'); insert into pet (name, man) values ('rex', 1), ('tom', 2); update man set pet = id;)";
    Pair pair(shared + couples + R"(
        insert into doc (title, up) values ('prod doc 1', null), ('both', null), ('self', 3), ('circle a', 5), ('circle b', 4);
        insert into ur (who, role) values ('bob', 'dev'), ('ann', 'dev'), ('cid', 'ops');)",
              shared + couples + R"(
        insert into man (name) values ('cid'), ('dan'); insert into pet (name, man) values ('own', 3), ('of bob', 2); update man set pet = id where name = 'cid';
        update man set pet = 4 where name in ('dan');
        alter table doc add column owner int;
        insert into doc (title, up, owner) values ('pp doc 1', null, 1), ('both', null, 2), ('self', 3, 3), ('circle a', 5, 4), ('circle b', 4, 5), ('under 1', 1, 6);
        create table note (d int references doc, txt text);
        insert into note select id, title from doc;
        insert into ur (who, role) values ('eve', 'admin'), ('ann', 'dev'), ('bob', 'dev');)");
    const std::vector<std::string> options = {"--preserve", "doc", "--preserve", "ur",
                                              "--preserve", "man", "--preserve", "pet"};
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select m.name, p.name, o.name from man m join pet p on p.id = m.pet join man "
                              "o on o.id = p.man order by 1") ==
          "ann|rex|ann\nbob|tom|bob\ncid|own|cid\ndan|of bob|bob\n");
    CHECK(pair.target().value("select count(*) from pet") == "4");
    const std::string documents = "both||2\ncircle a|circle b|4\ncircle b|circle a|5\npp doc 1||1\nprod doc "
                                  "1||\nself|self|3\nunder 1|pp doc 1|6\n";
    const char* const query =
        "select d.title, u.title, d.owner from doc d left join doc u on u.id = d.up order by 1";
    CHECK(pair.target().lines(query) == documents);
    CHECK(pair.target().value("select count(*) from note n join doc d on d.id = n.d and d.title = n.txt") ==
          "6");
    CHECK(pair.target().lines("select who, role from ur order by 1") ==
          "ann|dev\nbob|dev\ncid|ops\neve|admin\n");
    CHECK(rejected(pair).empty());

    // What the source changed in a row that the last run took from it makes no second one of it.
    pair.source().sql(
        "update doc set title = 'prod doc 1, revised' where id = 1; delete from ur where who = 'cid'; "
        "insert into ur (who, role) values ('fay', 'new')");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(query) == "both||2\ncircle a|circle b|4\ncircle b|circle a|5\npp doc "
                                        "1||1\nprod doc 1, revised||\nself|self|3\nunder 1|pp doc 1|6\n");
    CHECK(pair.target().lines("select who, role from ur order by 1") ==
          "ann|dev\nbob|dev\neve|admin\nfay|new\n");
    CHECK(pair.target().value("select count(*) from note n join doc d on d.id = n.d and d.title = n.txt") ==
          "6");
}

TEST_CASE("an assigned number says nothing beside a key that does", "[preserve]") {
    const std::string shared = R"(
        create table users (id bigint primary key, login text not null unique);
        create table tk (id bigint primary key, u bigint references users, t text not null unique);
        create table country (code text primary key, name text not null unique);)";
    Pair pair(shared + R"(
        insert into users values (1, 'a'), (2, 'b'), (3, 'c'); insert into tk values (1, 2, 'of b');
        insert into country values ('de', 'Germany');)",
              shared + R"(
        insert into users values (1, 'a'), (2, 'eve'), (500, 'b'); insert into tk values (7, 2, 'eve'), (8, 500, 'b');
        insert into country values ('de', 'Deutschland');
        create table notes (u bigint references users, txt text); insert into notes values (2, 'eve'), (500, 'b');)");
    const std::vector<std::string> options = {"--preserve", "users",      "--preserve",
                                              "tk",         "--preserve", "country"};
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select k.t, u.login from tk k left join users u on u.id = k.u order by 1") ==
          "b|b\neve|\nof b|b\n");
    CHECK(pair.target().lines(
              "select n.txt, u.login from notes n left join users u on u.id = n.u order by 1") ==
          "b|b\neve|\n");
    CHECK(
        rejected(pair) ==
        "public.users|conflicts with another row on key users_pkey (id), and is another one by (login)|1\n");
    CHECK(pair.target().value("select string_agg(name, ' ') from country") == "Germany");

    // Renamed in the source: the last run brought both of its keys.
    pair.source().sql("update users set login = 'bea' where id = 2");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select k.t, u.login from tk k left join users u on u.id = k.u order by 1") ==
          "b|bea\neve|\nof b|bea\n");
    CHECK(pair.target().lines(
              "select n.txt, u.login from notes n left join users u on u.id = n.u order by 1") ==
          "b|bea\neve|\n");
}

TEST_CASE("references that share a column, to oneself and in a circle", "[preserve]") {
    const std::string shared = R"(
        create table ten (id serial primary key, code text not null unique);
        create table us (ten int not null references ten, id serial, login text not null, boss int,
            primary key (ten, id), unique (ten, login), foreign key (ten, boss) references us (ten, id));)";
    Pair pair(shared + R"(
        insert into ten (code) values ('A'), ('B');
        insert into us (ten, id, login) values (1, 1, 'admin'), (2, 2, 'other');)",
              shared + R"(
        insert into ten (code) values ('B'), ('A');
        insert into us (ten, id, login) values (2, 2, 'self'), (2, 3, 'ofself'), (2, 4, 'c1'), (2, 5, 'c2'), (2, 9, 'admin'), (2, 8, 'ofadmin'), (1, 2, 'x');
        update us set boss = case login when 'self' then 2 when 'ofself' then 2 when 'c1' then 5 when 'c2' then 4 when 'ofadmin' then 9 end where ten = 2;
        create table notes (ten int, who int, txt text, foreign key (ten, who) references us);
        insert into notes select ten, id, login from us;)");
    refresh_as_planned(pair, {"--preserve", "ten", "--preserve", "us"});
    CHECK(pair.target().lines("select t.code, u.login, b.login from us u join ten t on t.id = u.ten left "
                              "join us b on (b.ten, b.id) = (u.ten, u.boss) order by 1, 2") ==
          "A|admin|\nA|c1|c2\nA|c2|c1\nA|ofadmin|admin\nA|ofself|self\nA|self|self\nB|other|\nB|x|\n");
    CHECK(
        pair.target().value(
            "select count(*) from notes n join us u on (u.ten, u.id) = (n.ten, n.who) and u.login = n.txt") ==
        "7");
    CHECK(rejected(pair).empty());
}

TEST_CASE("a key in which NULL equals NULL tells rows apart like any other", "[preserve]") {
    const std::string shared = R"(
        create table addr (id serial primary key, street text not null, zip text, tel text, unique nulls not distinct (street, zip));
        create table one (id serial primary key, code text, v int);
        create unique index on one (lower(code)) nulls not distinct where v > 0;
        create table plain (id serial primary key, town text unique nulls not distinct);)";
    Pair pair(shared + R"(
        insert into addr (street, zip, tel) values ('s1', null, '1'), ('s2', 'z', '2'), ('s3', null, '3');
        insert into one (code, v) values (null, 1), ('x', 2), (null, 0);
        insert into plain (town) values ('t'), (null);)",
              shared + R"(
        insert into addr (street, zip, tel) values ('s2', 'z', '3'), ('s1', null, 'old'), ('s1', 'z', 'own'), ('s4', null, 'own');
        insert into one (code, v) values ('X', 5), (null, 6), ('y', 7);
        insert into plain (town) values (null), ('u');
        create table fav (a int references addr, o int references one, p int references plain, t text);
        insert into fav select id, null, null, street || coalesce(zip, '') from addr;
        insert into fav select null, id, null, coalesce(lower(code), 'none') from one;
        insert into fav select null, null, id, coalesce(town, 'none') from plain;)");
    std::vector<std::string> options;
    SECTION("preserved") {
        options = {"--preserve", "addr", "--preserve", "one", "--preserve", "plain"};
        refresh_as_planned(pair, options);
        CHECK(pair.target().lines("select street, zip, tel from addr order by 1, 2") ==
              "s1|z|own\ns1||1\ns2|z|2\ns3||3\ns4||own\n");
        CHECK(pair.target().lines("select code, v from one order by v") == "|0\n|1\nx|2\ny|7\n");
        CHECK(pair.target().lines("select town from plain order by 1") == "t\nu\n\n");
        CHECK(pair.target().lines(
                  "select t, street || coalesce(zip, '') from fav join addr on addr.id = a order by 1") ==
              "s1|s1\ns1z|s1z\ns2z|s2z\ns4|s4\n");
        CHECK(pair.target().lines("select t, v from fav join one on one.id = o order by 1") ==
              "none|1\nx|2\ny|7\n");
        CHECK(pair.target().lines("select t, town from fav join plain on plain.id = p order by 1") ==
              "none|\nu|u\n");
        CHECK(rejected(pair).empty());
    }
    SECTION("referred to") {
        refresh_as_planned(pair, options);
        CHECK(pair.target().lines(
                  "select t, street || coalesce(zip, '') from fav join addr on addr.id = a order by 1") ==
              "s1|s1\ns2z|s2z\n");
    }
    const std::string after = pair.target().lines("select * from addr order by id");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select * from addr order by id") == after);
}

TEST_CASE("a row equal to several of the source's is their duplicate", "[preserve]") {
    const std::string shared = "create table nokey (u int, w text);";
    Pair pair(shared + "insert into nokey values (1, 'x'), (1, 'x'), (2, 'y');",
              shared + "insert into nokey values (1, 'x'), (2, 'y'), (3, 'z');");
    refresh_as_planned(pair, {"--preserve", "nokey"});
    CHECK(pair.target().lines("select u, w from nokey order by 1") == "1|x\n1|x\n2|y\n3|z\n");
    CHECK(rejected(pair).empty());
    CHECK(pair.target().value(
              "select report #>> '{merge,tables,0,duplicates}' from pgsluice.run where state = 'swapped'") ==
          "1");
}

TEST_CASE("a table of one row, and one without a primary key", "[preserve]") {
    const std::string shared = "create table one (v text, w int); create unique index on one ((true));"
                               "create table nopk (email text unique, v int);";
    Pair pair(shared + "insert into one values ('prod', 1); insert into nopk values ('a', 1), (null, 2);",
              shared + R"(insert into one values ('pre', 2);
        insert into nopk values ('a', 7), (null, 2), (null, 3), ('b', 4);)");
    refresh_as_planned(pair, {"--preserve", "one", "--preserve", "nopk"});
    CHECK(pair.target().lines("select v, w from one") == "prod|1\n");
    CHECK(pair.target().lines("select email, v from nopk order by 2") == "a|1\n|2\n|3\nb|4\n");
    CHECK(rejected(pair).empty());
}

TEST_CASE("what is written meanwhile is told by the same keys", "[preserve][late]") {
    Pair pair(R"(
        create table c (k text primary key); insert into c values ('s1'), ('s2'), ('s3');
        create table doc (id serial primary key, title text); insert into doc (title) values ('p1'), ('both'), ('p3');
        create table u (id serial primary key, login text unique); insert into u (login) values ('admin'), (null);
        create table two (id serial primary key, name text not null unique); insert into two (name) values ('p');
        create materialized view slow as select pg_sleep(5)::text as s, count(*) from doc;)",
              R"(
        create table c (k text primary key, ser serial unique, own int generated always as identity unique);
        insert into c (k) values ('t1'), ('t2'), ('s2');
        create table doc (id serial primary key, title text); insert into doc (title) values ('t1'), ('both'), ('t3');
        create table u (id serial primary key, login text unique); insert into u (login) values ('eve'), ('admin'), (null);
        create table two (id serial primary key, name text not null unique); insert into two (name) values ('x'), ('y');
        create table kid (two int references two on delete cascade, was text); insert into kid select id, name from two;
        create table notes (d int references doc, u int references u, c int references c (ser), txt text);
        insert into notes select id, null, null, title from doc;
        insert into notes select null, id, null, login from u where login is not null;
        insert into notes select null, null, ser, k from c;)");
    Program run(pgsluice_command(pair.arguments(
        "refresh", {"--preserve", "c", "--preserve", "doc", "--preserve", "u", "--preserve", "two"})));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool written = false;
    while (!written && run.running() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (pair.target().cluster().value(
                "select count(*) from pg_stat_activity where query ilike '%refresh%slow%' and state = "
                "'active' and pid <> pg_backend_pid()") == "0")
            continue;
        // x and y change names; t1 becomes one of the source's; a new row has a number that the source's may
        // have been given.
        pair.target().sql(R"(
            update two set name = 'tmp' where name = 'x'; update two set name = 'x' where name = 'y'; update two set name = 'y' where name = 'tmp';
            insert into c (k) values ('late'); update c set k = 's3' where k = 't1';
            insert into doc (title) values ('late'), ('p3'); update doc set title = 'p1' where title = 't1';
            insert into u (login) values ('new'); update u set login = 'bob' where login is null;
            insert into notes (u, txt) values (4, 'new');)");
        written = true;
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    REQUIRE(written);
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().lines("select k, ser, own from c where k <> 's1' order by 1") ==
          "late|4|4\ns2|3|3\ns3|1|1\nt2|2|2\n");
    CHECK(pair.target().value("select ser > 4 and own > 4 from c where k = 's1'") == "t");
    CHECK(pair.target().lines("select title from doc order by 1") == "both\nlate\np1\np3\nt3\n");
    CHECK(pair.target().lines("select login from u order by 1") == "admin\nbob\neve\nnew\n\n");
    CHECK(pair.target().lines(
              "select n.txt, coalesce(d.title, u.login, c.k) from notes n left join doc d on d.id = n.d "
              "left join u on u.id = n.u left join c on c.ser = n.c order by 1, 2") ==
          "admin|admin\nboth|both\neve|eve\nnew|new\ns2|s2\nt1|p1\nt1|s3\nt2|t2\nt3|t3\n");
    CHECK(pair.target().lines("select k.was, t.name from kid k join two t on t.id = k.two order by 1") ==
          "x|y\ny|x\n");
    CHECK(pair.target().value("select string_agg(name, ' ' order by name) from two") == "p x y");
    CHECK(rejected(pair).empty());
}

TEST_CASE("citext and nondeterministic collations tell who is who", "[preserve]") {
    const bool is_citext = GENERATE(true, false);
    const std::string type = is_citext ? "citext" : "text collate any_case";
    INFO(type);
    const std::string shared =
        (is_citext ? std::string("create extension citext;")
                   : std::string("create collation any_case (provider = icu, locale = 'und-u-ks-level2', "
                                 "deterministic = false);")) +
        "create table users (id serial primary key, name " + type + " not null unique, mail text);" +
        "create table role (user_id int references users, role " + type + ", primary key (user_id, role));";
    Pair pair(shared + R"(
        insert into users (name, mail) values ('Alice', 'prod'), ('bob', 'prod'), ('admin', 'prod');
        insert into role values (1, 'Dev'), (3, 'admin');)",
              shared + R"(
        insert into users (name, mail) values ('BOB', 'pre'), ('alice', 'pre'), ('Carol', 'pre');
        insert into role values (2, 'DEV'), (2, 'ops'), (1, 'Tester'), (3, 'admin');
        create table own (who )" +
                  type +
                  R"( references users (name), note text);
        insert into own values ('ALICE', 'a'), ('carol', 'c');)");
    const std::vector<std::string> all = {"--preserve", "users", "--preserve", "role"};
    refresh_as_planned(pair, all);
    const std::string roles =
        "Alice|prod|Dev\nAlice|prod|ops\nCarol|pre|admin\nadmin|prod|admin\nbob|prod|Tester\n";
    const std::string who_has_what =
        "select u.name::text collate \"C\", u.mail, r.role::text collate \"C\" from users u join role r on "
        "r.user_id = u.id order by 1, 3";
    CHECK(pair.target().lines(who_has_what) == roles);
    CHECK(pair.target().lines("select u.name, o.note from own o join users u on u.name = o.who order by 2") ==
          "Alice|a\nCarol|c\n");
    CHECK(pair.target().lines("select conname from pg_constraint where not convalidated").empty());
    CHECK(rejected(pair).empty());
    refresh_as_planned(pair, all);
    CHECK(pair.target().lines(who_has_what) == roles);
}
