// Extras whose keys refer to other extras whose keys move: every row stays at its entity, whatever is written
// while the run is on (rules.md sections 3 and 4). Rows carry the name of the entity that they are of.
#include <thread>

#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

// `writes` are committed when the run waits for the locks, after it has read everything.
ProgramResult refresh_while(const Pair& pair, const std::string& writes, std::vector<std::string> more = {}) {
    Session writer{pair.target().conninfo()};
    writer.sql("begin");
    writer.sql(writes);
    more.insert(more.end(), {"--source-is-right", "--verbose", "--lock-timeout", "60s"});
    Program program(pgsluice_command(pair.arguments("refresh", more)));
    for (int i = 0; i < 1200 && program.running() &&
                    program.err().find("locking the target's tables") == std::string::npos;
         ++i)
        std::this_thread::sleep_for(25ms);
    writer.sql("commit");
    const ProgramResult result = program.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    return result;
}

std::string rejected(const Pair& pair) {
    return pair.target().lines(
        "select table_name, reason, count(*), string_agg(coalesce(\"row\"->>'v', ''), "
        "',' order by \"row\"->>'v') from pgsluice.rejected group by 1, 2 order by 1, 2");
}

constexpr const char* users = "create table users (id serial primary key, login text unique not null);";

// Keys 1 and 2 are exchanged on the target.
const std::string source_sql = std::string(users) + "insert into users (login) values ('a'), ('b'), ('c');";
const std::string target_sql = std::string(users) + R"(insert into users (login) values ('b'), ('a'), ('c');
    create table ea (user_id int primary key references users, v text);
    create table ec (ua int primary key references ea, v text);
    insert into ea select id, login from users; insert into ec select id, login from users;)";
constexpr const char* keyed = "create table ed (id int primary key, a int references ec, v text);"
                              "insert into ed select id, id, login from users;";
constexpr const char* keyless = "create table ed (id int, a int references ec, v text);"
                                "insert into ed select id, id, login from users;";

// Who each row is at now, and what it says.
constexpr const char* all_rows = "select 'ea', u.login, e.v from ea e left join users u on u.id = e.user_id "
                                 "union all select 'ec', u.login, "
                                 "e.v from ec e left join users u on u.id = e.ua union all select 'ed', "
                                 "u.login, e.v from ed e left join users "
                                 "u on u.id = e.a order by 1, 3, 2";

std::string not_valid(const Pair& pair) {
    return pair.target().lines(
        "select conname from pg_constraint where not convalidated and conparentid = 0 order by 1");
}

} // namespace

TEST_CASE("late deletes in extras whose keys moved with their parents take the right rows",
          "[preserve][late]") {
    Pair pair(source_sql, target_sql + keyed);
    refresh_while(pair, "delete from ed where v = 'b'; delete from ec where v = 'b'",
                  {"--preserve", "users"});
    CHECK(pair.target().lines(all_rows) == "ea|a|a\nea|b|b\nea|c|c\nec|a|a\nec|c|c\ned|a|a\ned|c|c\n");
    CHECK(not_valid(pair).empty());
}

TEST_CASE("late updates and inserts in extras whose keys moved with their parents are where they belong",
          "[preserve][late]") {
    Pair pair(source_sql, target_sql + keyed);
    std::vector<std::string> options;
    SECTION("users preserved") { options = {"--preserve", "users"}; }
    SECTION("users of the source") {}
    refresh_while(
        pair,
        "update ec set v = v || ' late' where v = 'b'; update ed set a = 2, v = 'a, was b' where v = 'b';"
        "insert into ed values (4, 1, 'b new'); delete from ed where v = 'c'",
        options);
    CHECK(pair.target().lines(all_rows) ==
          "ea|a|a\nea|b|b\nea|c|c\nec|a|a\nec|b|b late\nec|c|c\ned|a|a\ned|a|a, was b\ned|b|b new\n");
    CHECK(not_valid(pair).empty());
}

TEST_CASE("a keyless extra below extras whose keys moved keeps its rows at their entities",
          "[preserve][late]") {
    Pair pair(source_sql, target_sql + keyless);
    std::string writes, expected;
    SECTION("when it is written late") {
        writes = "insert into ed values (4, 1, 'b new')";
        expected = "ea|a|a\nea|b|b\nea|c|c\nec|a|a\nec|b|b\nec|c|c\ned|a|a\ned|b|b\ned|b|b new\ned|c|c\n";
    }
    SECTION("when only its parents are") {
        writes = "update ec set v = 'b late' where v = 'b'; update ea set v = 'a late' where v = 'a'";
        expected = "ea|a|a late\nea|b|b\nea|c|c\nec|a|a\nec|b|b late\nec|c|c\ned|a|a\ned|b|b\ned|c|c\n";
    }
    SECTION("when its parent's entity changes") {
        writes = "delete from ed where v = 'c'; delete from ec where v = 'c'; delete from ea where v = 'c';"
                 "delete from users where login = 'c'; update users set login = 'c' where login = 'a'";
        expected = "ea|c|a\nea|b|b\nec|c|a\nec|b|b\ned|c|a\ned|b|b\n";
    }
    refresh_while(pair, writes, {"--preserve", "users"});
    CHECK(pair.target().lines(all_rows) == expected);
    CHECK(not_valid(pair).empty());
}

TEST_CASE("an entity that becomes another one late takes its extras' rows along, whatever their depth",
          "[preserve][late]") {
    // x is not known to the source until it becomes b; q is; its key is taken there.
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('a'), ('q'), ('x'), ('c');
        create table ea (user_id int primary key references users, v text);
        create table ec (ua int primary key references ea, v text);
        insert into ea select id, login from users; insert into ec select id, login from users;)" +
                              keyed);
    refresh_while(pair, "update users set login = 'b' where login = 'x'", {"--preserve", "users"});
    CHECK(pair.target().lines(all_rows) ==
          "ea|a|a\nea|c|c\nea|q|q\nea|b|x\nec|a|a\nec|c|c\nec|q|q\nec|b|x\ned|a|a\ned|c|c\ned|q|q\ned|b|x\n");
    CHECK(not_valid(pair).empty());
}

TEST_CASE("partitioned extras in a chain keep their rows, whatever their foreign keys do",
          "[preserve][late]") {
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('b'), ('a'), ('c');
        create table ea (user_id int primary key references users, v text);
        create table ec (ua int primary key references ea on delete cascade on update cascade, v text)
            partition by hash (ua);
        create table ec_0 partition of ec for values with (modulus 2, remainder 0);
        create table ec_1 partition of ec for values with (modulus 2, remainder 1);
        insert into ea select id, login from users; insert into ec select id, login from users;
        create table ed (id int primary key, a int references ec on delete cascade, v text);
        insert into ed select id, id, login from users;)");
    refresh_while(pair,
                  "update ea set v = 'a late' where v = 'a'; insert into ed values (4, 1, 'b new');"
                  "update ec set v = 'c late' where v = 'c'",
                  {"--preserve", "users"});
    CHECK(pair.target().lines(all_rows) ==
          "ea|a|a late\nea|b|b\nea|c|c\nec|a|a\nec|b|b\nec|c|c late\ned|a|a\ned|b|b\ned|b|b new\ned|c|c\n");
    CHECK(not_valid(pair).empty());
    CHECK(
        pair.target().value("select count(*) from pg_constraint where contype = 'f' and conparentid = 0 and "
                            "confdeltype = 'c'") == "2");
}

TEST_CASE("a row whose parent row, an extra's, was set aside is not left at another entity", "[preserve]") {
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('a'), ('b'), ('x'), ('c');
        create table ec (ua int primary key references users, v text);
        insert into ec select id, login from users;
        create table ed (id int primary key, a int references ec, v text);
        insert into ed select id, id, login from users;
        create table ee (a int not null references ec, v text); insert into ee select id, login from users;)");
    const ProgramResult plan = pair.run("plan", {"--source-is-right"});
    INFO(plan.text());
    for (const char* counted : {"public.ec", "public.ed", "public.ee"})
        CHECK(plan.out.find(counted) != std::string::npos);
    const ProgramResult result = pair.run("refresh", {"--source-is-right"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().lines("select u.login, e.v from ed e left join users u on u.id = e.a order by 2") ==
          "a|a\nb|b\nc|c\n|x\n");
    CHECK(pair.target().lines("select u.login, e.v from ee e left join users u on u.id = e.a order by 2") ==
          "a|a\nb|b\nc|c\n");
    CHECK(rejected(pair) ==
          "public.ec|reference (ua): the source has another row of public.users under this key|1|x\n"
          "public.ee|reference (a): the source has another row of public.ec under this key|1|x\n");
    CHECK(not_valid(pair).empty());
}

TEST_CASE("extras that refer to themselves and to each other in circles follow", "[preserve][late]") {
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('b'), ('a'), ('c');
        create table ea (user_id int primary key references users, boss int references ea, pair int, v text);
        create table eb (user_id int primary key references ea deferrable initially deferred, v text, of int);
        insert into ea select id, 3 - id % 3, 3 - id % 3, login from users; insert into eb select id, login, id from users;
        alter table ea add foreign key (pair) references eb;
        create table top (id int primary key); create table leaf (id int references top); insert into top values (3);
        insert into leaf values (3);)");
    const std::string all = "select e.v, b.v, p.v from ea e join ea b on b.user_id = e.boss join eb p on "
                            "p.user_id = e.pair order by 1";
    refresh_while(pair,
                  "update ea set v = v where v = 'a'; update ea set boss = 1, v = 'c late' where v = 'c';"
                  "update eb set of = 9 where v = 'b'");
    CHECK(pair.target().lines(all) == "a|b|b\nb|a|a\nc late|b|c\n");
    CHECK(pair.target().lines(
              "select u.login, e.v, b.v, b.of from users u join ea e on e.user_id = u.id join eb "
              "b on b.user_id = u.id order by 1") == "a|a|a|2\nb|b|b|9\nc|c late|c|3\n");
    CHECK(not_valid(pair).empty());
}

TEST_CASE("rejected rows of extras are told once, as they are at the end", "[preserve][late]") {
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('a'), ('x'), ('y');
        create table pr (u int primary key references users, v text);
        create table nn (id int primary key, u int not null references users, v text);
        create table nl (id int primary key, u int references users, v text);
        insert into pr select id, login from users where id > 1; insert into nn select id, id, login from users where id > 1;
        insert into nl select id, id, login from users where id > 1;)");
    const ProgramResult result = refresh_while(
        pair, "delete from pr where v = 'y'; update pr set v = 'x2' where v = 'x';"
              "insert into nn values (4, 1, 'a2'), (5, 2, 'x3'); update nl set v = 'x2' where v = 'x';");
    const std::string reason = "reference (u): the source has another row of public.users under this key|";
    CHECK(rejected(pair) == "public.nn|" + reason + "3|x,x3,y\npublic.pr|" + reason + "1|x2\n");
    CHECK(pair.target().lines("select * from nn") == "4|1|a2\n");
    CHECK(pair.target().lines("select * from nl order by 1") == "2||x2\n3||y\n");
    CHECK(pair.target().lines("select t->>'table', t->>'rejected', t->>'nulled' from pgsluice.run, "
                              "jsonb_array_elements(report::"
                              "jsonb->'merge'->'tables') t where state = 'swapped' order by 1") ==
          "public.nl|0|2\npublic.nn|3|0\npublic.pr|1|0\n");
}

TEST_CASE("references to a column that only the target has follow, and are never left at another entity",
          "[preserve][late]") {
    const std::string shared = "create table c (k text primary key);";
    Pair pair(shared + "insert into c values ('s1'), ('s2'), ('s3'), ('s4');",
              shared + R"(alter table c add ser serial unique, add code uuid unique default gen_random_uuid();
        insert into c values ('t1'), ('t2'), ('s1');
        create table dep (id int primary key, ser int references c (ser), v text);
        insert into dep select ser, ser, k from c;
        create table must (ser int not null references c (ser), v text); insert into must select ser, k from c;
        create table by_code (code uuid references c (code), v text); insert into by_code select code, k from c;
        create table item (id int primary key, tag int unique); insert into item values (1, 5);
        create table itag (t int references item (tag)); insert into itag values (5);)");
    pair.source().sql("create table item (id int primary key); insert into item values (1), (2)");
    refresh_while(pair, "insert into dep values (4, 3, 's1 late')");
    CHECK(pair.target().lines("select c.k, d.v from dep d left join c using (ser) order by d.id") ==
          "|t1\n|t2\ns1|s1\ns1|s1 late\n");
    CHECK(pair.target().lines("select c.k, d.v from must d left join c using (ser)") == "s1|s1\n");
    // No row of the source's has these: they stay, and the key waits.
    CHECK(pair.target().lines(
              "select c.k, d.code is null, d.v from by_code d left join c using (code) order by 3") ==
          "s1|f|s1\n|f|t1\n|f|t2\n");
    CHECK(pair.target().lines("select t from itag") == "5\n");
    CHECK(not_valid(pair) == "by_code_code_fkey\nitag_t_fkey\n");
    CHECK(rejected(pair) == "public.must|reference (ser): the source has another row of public.c under this "
                            "key|2|t1,t2\n");
}

TEST_CASE(
    "a foreign key that late rows break waits in pgsluice.pending and is validated when they are mended",
    "[preserve][late]") {
    // One that follows, one that has nothing to follow, and one that nobody has validated yet.
    Pair pair(source_sql + "insert into users (login) values ('d');",
              std::string(users) + R"(insert into users (login) values ('a'), ('b');
        create table top (id int primary key); insert into top values (1);
        create table own (id int primary key, u int constraint to_users references users, v text);
        create table below (id int primary key, t int); insert into below values (1, 9);
        alter table below add constraint to_top foreign key (t) references top not valid;)");
    const std::string pending = "select object, reason from pgsluice.pending order by 1";
    const auto refresh = [&](const std::string& writes) { return refresh_while(pair, writes); };
    refresh("select 1");
    CHECK(pair.target().lines(pending).empty()); // it came as it was
    CHECK(not_valid(pair) == "to_top\n");

    pair.target().sql("delete from users where login in ('c', 'd')");
    pair.source().sql("delete from users where login = 'd'");
    const ProgramResult result =
        refresh("insert into users values (9, 'only here'); insert into own values (1, 9, '?')");
    INFO(result.text());
    CHECK(result.err.find("to_users") != std::string::npos);
    const std::string now = pair.target().lines(pending);
    CHECK(now.find("validation of foreign key to_users on public.own|it stays NOT VALID: ") !=
          std::string::npos);
    CHECK(now.find("FOREIGN KEY (u) REFERENCES ") != std::string::npos);
    CHECK(now.find("9") == std::string::npos);
    CHECK(not_valid(pair) == "to_top\nto_users\n");

    pair.target().sql("update own set u = 1; insert into top values (9)");
    refresh("select 1");
    CHECK(not_valid(pair) == "to_top\n");
    CHECK(pair.target().lines(pending).empty());
}

TEST_CASE("an entity of a table that is not preserved becomes another one late, and its extras' rows follow",
          "[preserve][late]") {
    Pair pair(source_sql, std::string(users) + R"(insert into users (login) values ('a'), ('x'), ('y');
        create table nl (id int primary key, u int references users, v text);
        create table pr (u int primary key references users, v text);
        insert into nl select id, id, login from users; insert into pr select id, login from users;)");
    refresh_while(pair, "update users set login = 'b' where login = 'y'");
    CHECK(pair.target().lines("select u.login, t.v from nl t left join users u on u.id = t.u order by t.v") ==
          "a|a\n|x\nb|y\n");
    CHECK(pair.target().lines("select u.login, t.v from pr t left join users u on u.id = t.u order by t.v") ==
          "a|a\nb|y\n");
    CHECK(rejected(pair) ==
          "public.pr|reference (u): the source has another row of public.users under this key|1|x\n");
}

TEST_CASE("a sequence of the source's from which an extra takes its numbers is past them",
          "[preserve][late]") {
    const std::string shared =
        "create sequence ids; create sequence down increment -1; create sequence unused;"
        "create table a (id bigint primary key default nextval('ids'));"
        "insert into a default values; select nextval('down');";
    Pair pair(shared, shared + R"(create table own (id bigint primary key default nextval('ids'),
            d int default nextval('down'), v text);
        create table empty (id int default nextval('unused'));
        insert into own (v) select 'row' from generate_series(1, 40); insert into own (id, v) values (500, 'by hand');)");
    refresh_while(pair, "insert into own (v) values ('late')");
    CHECK(pair.target().value(
              "select nextval('ids') || ' ' || nextval('down') || ' ' || nextval('unused')") == "501 -44 1");
    CHECK(pair.target().value("select count(*) || ' ' || max(id) from own") == "42 500");
}

TEST_CASE("--reference takes names quoted as in SQL", "[preserve]") {
    const std::string parent =
        R"(create schema "My.Schema"; create table "My.Schema"."Who=is" (id serial primary key,
        "Log.in" text unique not null, "a,b" text);)";
    Pair pair(parent + R"(insert into "My.Schema"."Who=is" ("Log.in") values ('a'), ('b');)",
              parent + R"(insert into "My.Schema"."Who=is" ("Log.in") values ('b'), ('a'), ('t');
        create table und ("Who.""is" int, v text); insert into und select id, "Log.in" from "My.Schema"."Who=is";)");
    const ProgramResult result =
        pair.run("refresh", {"--source-is-right", "--preserve", R"("My.Schema"."Who=is"="Log.in")",
                             "--reference", R"(und."Who.""is"="My.Schema"."Who=is".id)"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(
        pair.target().lines(R"(select p."Log.in", v from und join "My.Schema"."Who=is" p on p.id = "Who.""is"
        order by 2)") == "a|a\nb|b\nt|t\n");
}

TEST_CASE("materialized views that read late rows are named, through views and references, too",
          "[preserve][late]") {
    Pair pair(source_sql + "create view named as select login from users;"
                           "create materialized view seen as select count(*) as n from named;",
              target_sql + "create materialized view seen_own as select count(*) as n from ea;");
    refresh_while(pair,
                  "insert into users (login) values ('late'); insert into ea select id, login from users "
                  "where login = 'late'",
                  {"--preserve", "users"});
    CHECK(pair.target().value("select count(*) from users") == "4");
    CHECK(pair.target().value("select n from seen") == "3"); // not refreshed again
    CHECK(pair.target().lines(
              "select distinct n ->> 'object' from pgsluice.run, jsonb_array_elements(report -> "
              "'notes') n where state = 'swapped' and n ->> 'object' like 'materialized view %' "
              "order by 1") == "materialized view public.seen\nmaterialized view public.seen_own\n");
}
