// Rows of the target that are kept (rules.md section 3), each looked at from outside by the names of its
// entity: who has which role afterwards, whatever keys they got.
#include <algorithm>
#include <chrono>
#include <thread>

#include "support/catch.hpp"
#include "support/merged.hpp"
#include "support/session.hpp"

using namespace pgsluice::tests;

namespace {

constexpr const char* tables = R"(
    create table users (id serial primary key, name text not null unique, email text, boss int references users);
    create table role (user_id int not null references users on delete cascade, role text not null,
        granted_by int references users, primary key (user_id, role));)";

const std::string source_sql = std::string(tables) + R"(
    insert into users (name, email) values ('alice', 'a@prod'), ('bob', 'b@prod'), ('admin', 'root@prod');
    insert into role values (1, 'dev', 3), (3, 'admin', 3);)";

// bob and alice under each other's ids, carol under that of prod's admin; carol and dave are each other's
// boss.
const std::string target_sql = std::string(tables) + R"(
    insert into users (name, email) values ('bob', 'b@pre'), ('alice', 'a@pre'), ('carol', 'c@pre'), ('dave', 'd@pre');
    update users set boss = 4 where id = 3; update users set boss = 3 where id = 4;
    insert into role values (2, 'dev', 1), (3, 'tester', 2), (4, 'admin', 3), (1, 'ops', null);)";

const char* const who_has_what = "select u.name, r.role, g.name from role r join users u on u.id = r.user_id "
                                 "left join users g on g.id = r.granted_by "
                                 "order by 1, 2";
const char* const users_and_bosses =
    "select u.name, u.email, b.name from users u left join users b on b.id = u.boss order by 1";

const char* const expected_roles =
    "admin|admin|admin\nalice|dev|admin\nbob|ops|\ncarol|tester|alice\ndave|admin|carol\n";

const std::vector<std::string> both = {"--preserve", "users", "--preserve", "role"};

} // namespace

TEST_CASE("carol under the admin's key gets a key of her own, and nobody's rights", "[preserve]") {
    Pair pair(source_sql, target_sql);
    std::vector<std::string> options = both;
    SECTION("users first") {}
    SECTION("the other order") { options = {"--preserve", "public.role", "--preserve", "public.users"}; }
    SECTION("by columns named") { options = {"--preserve", "role=user_id,role", "--preserve", "users=name"}; }
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(who_has_what) == expected_roles);
    CHECK(pair.target().lines(users_and_bosses) ==
          "admin|root@prod|\nalice|a@prod|\nbob|b@prod|\ncarol|c@pre|dave\ndave|d@pre|carol\n");
    CHECK(pair.target().value("select id from users where name = 'admin'") == "3");
    CHECK(pair.target().value("select id from users where name = 'dave'") == "4");
    // The next user's key is free.
    CHECK(pair.target().value("select nextval('users_id_seq') > max(id) from users") == "t");
    CHECK(pair.target().value(
              "select count(*) from pg_constraint where contype = 'f' and not convalidated") == "0");
    CHECK(rejected(pair).empty());
    CHECK(pair.target().value(
              "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname "
              "= 'pgsluice' and c.relpersistence = 'u'") == "0");

    // Again: nothing changes.
    const std::string before = pair.target().lines("select * from users order by id") +
                               pair.target().lines("select * from role order by 1, 2");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select * from users order by id") +
              pair.target().lines("select * from role order by 1, 2") ==
          before);
}

TEST_CASE("rows of extras follow the users they refer to", "[preserve]") {
    Pair pair(source_sql, target_sql + R"(
        create table notes (id serial primary key, user_id int references users, txt text);
        insert into notes (user_id, txt) values (3, 'carol'), (1, 'bob'), (2, 'alice'), (4, 'dave');
        create table prefs (user_id int primary key references users, txt text);
        insert into prefs select user_id, txt from notes;
        create table loose (who int, txt text);
        insert into loose select user_id, txt from notes; insert into loose values (99, 'nobody');)");
    std::vector<std::string> options = both;
    options.insert(options.end(), {"--reference", "loose.who=users.id", "--source-is-right"});
    refresh_as_planned(pair, options);
    for (const std::string table : {"notes", "prefs"})
        CHECK(pair.target().lines("select u.name, t.txt from " + table +
                                  " t join users u on u.id = t.user_id order by 1") ==
              "alice|alice\nbob|bob\ncarol|carol\ndave|dave\n");
    CHECK(pair.target().lines(
              "select u.name, t.txt from loose t left join users u on u.id = t.who order by t.txt") ==
          "alice|alice\nbob|bob\ncarol|carol\ndave|dave\n|nobody\n");
}

TEST_CASE("without --preserve a row of an extra is never left at another user", "[preserve]") {
    Pair pair(source_sql, target_sql + R"(
        create table notes (id serial primary key, user_id int references users, txt text);
        insert into notes (user_id, txt) values (3, 'carol'), (1, 'bob'), (4, 'dave');
        create table prefs (user_id int primary key references users, txt text);
        insert into prefs select user_id, txt from notes;)");
    const ProgramResult result = refresh_as_planned(pair, {});
    CHECK(result.err.find(
              "remark: table public.notes: in 1 of the target's rows a reference that leads nowhere "
              "is NULL now") != std::string::npos);
    CHECK(result.err.find("remark: table public.prefs: 1 of the target's rows could not be kept") !=
          std::string::npos);
    // prod has another user 3: NULL. It has no user 4: the value stays, and the foreign key waits.
    CHECK(pair.target().lines(
              "select t.user_id, u.name, t.txt from notes t left join users u on u.id = t.user_id order by "
              "t.txt") == "2|bob|bob\n||carol\n4||dave\n");
    CHECK(pair.target().lines(
              "select t.user_id, u.name, t.txt from prefs t left join users u on u.id = t.user_id order by "
              "t.txt") == "2|bob|bob\n4||dave\n");
    CHECK(rejected(pair) ==
          "public.prefs|reference (user_id): the source has another row of public.users under this key|1\n");
    CHECK(pair.target().lines("select conname from pg_constraint where not convalidated order by 1") ==
          "notes_user_id_fkey\nprefs_user_id_fkey\n");
}

TEST_CASE("uuid keys, citext, and roles of a user known on both sides", "[preserve]") {
    const std::string shared = R"(
        create extension citext;
        create table person (id uuid primary key, name citext not null unique);
        create table duty (id uuid primary key, person uuid not null references person, duty text not null, since date);)";
    Pair pair(shared + R"(
        insert into person values ('00000000-0000-0000-0000-000000000001', 'Ann'), ('00000000-0000-0000-0000-000000000002', 'Bea');
        insert into duty values ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000001', 'dev', null),
            ('00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-000000000002', 'dev', null);)",
              shared + R"(
        insert into person values ('00000000-0000-0000-0000-000000000003', 'ANN'), ('00000000-0000-0000-0000-000000000002', 'Bea B'),
            ('00000000-0000-0000-0000-000000000004', 'cid');
        insert into duty values ('00000000-0000-0000-0000-00000000000c', '00000000-0000-0000-0000-000000000003', 'dev', null),
            ('00000000-0000-0000-0000-00000000000d', '00000000-0000-0000-0000-000000000003', 'ops', '2020-01-01'),
            ('00000000-0000-0000-0000-00000000000e', '00000000-0000-0000-0000-000000000002', 'own', null),
            ('00000000-0000-0000-0000-00000000000f', '00000000-0000-0000-0000-000000000004', 'dev', null);)");
    const ProgramResult result = refresh_as_planned(pair, {"--preserve", "person", "--preserve", "duty"});
    CHECK(pair.target().lines(
              "select p.name, d.duty from duty d join person p on p.id = d.person order by 1, 2") ==
          "Ann|dev\nAnn|ops\nBea|dev\nBea|own\ncid|dev\n");
    CHECK(pair.target().value("select count(*) from person") == "3");
    const std::string merged = pair.target().value(
        "select string_agg(concat_ws(' ', t ->> 'table', t ->> 'same', t ->> 'added', t ->> 'duplicates', t "
        "->> 'repointed'), "
        "';' order by t ->> 'table') from pgsluice.run, jsonb_array_elements(report #> '{merge,tables}') t");
    CHECK(merged == "public.duty 0 3 1 1;public.person 2 1 0 0");
}

TEST_CASE("two matches, and every kind of key that a row may break: rejected with the names of the keys",
          "[preserve]") {
    const std::string shared = R"(
        create table defer (id serial primary key, pos int not null unique deferrable initially deferred, who text not null unique);
        create table part (id serial primary key, name text not null unique, code text, seat int4range, up text,
            exclude using gist (seat with &&));
        create unique index part_code on part (upper(code)) where code <> 'none';
        alter table part add check (name <> 'bad'), add column low text generated always as (lower(up)) stored;
        create unique index part_low on part (low);
        create type mood as enum ('ok'); create table feel (id serial primary key, name text not null unique, m mood, n varchar(3));)";
    Pair pair(shared + R"(
        insert into defer (pos, who) values (1, 'u'), (2, 'v');
        insert into part (name, code, seat, up) values ('a', 'A', '[1,5)', 'Q'), ('b', 'none', '[10,20)', null);)",
              shared + R"(
        alter type mood add value 'new'; alter table feel alter n type text; alter table part drop constraint part_name_check;
        insert into defer (pos, who) values (2, 'u'), (7, 'z'), (1, 'u2');
        insert into part (name, code, seat, up) values ('c', 'a', null, null), ('d', 'none', '[4,6)', null), ('e', 'none', '[6,8)', 'x'),
            ('f', 'f', '[30,40)', 'q'), ('bad', null, null, null), ('g', 'G', '[50,60)', 'Y');
        insert into feel (name, m, n) values ('x', 'ok', 'abc'), ('y', 'ok', 'abcd');)");
    refresh_as_planned(pair, {"--preserve", "defer", "--preserve", "part", "--preserve", "feel"});
    CHECK(pair.target().lines("select who from defer order by 1") == "u\nv\nz\n");
    CHECK(pair.target().lines("select name, low from part order by 1") == "a|q\nb|\ne|x\ng|y\n");
    CHECK(pair.target().lines("select name from feel") == "x\n");
    CHECK(rejected(pair) == "public.defer|matches more than one row of the source: by (pos) and (who)|1\n"
                            "public.feel|column n: its value does not fit|1\n"
                            "public.part|breaks check part_name_check|1\n"
                            "public.part|conflicts with another row on key part_code|1\n"
                            "public.part|conflicts with another row on key part_low (low)|1\n"
                            "public.part|conflicts with another row on key part_seat_excl|1\n");
    CHECK(pair.target().value("select row ->> 'name' from pgsluice.rejected where reason like 'breaks%'") ==
          "bad");
    CHECK(pair.target().value("select has_table_privilege('public', 'pgsluice.rejected', 'select')") == "f");
}

TEST_CASE("cycles of tables and trees of any depth keep their shape", "[preserve]") {
    const std::string shared = R"(
        create table a (id serial primary key, code text not null unique, b_id int);
        create table b (id serial primary key, code text not null unique, a_id int references a);
        alter table a add foreign key (b_id) references b;
        create table tree (id uuid primary key, up uuid references tree, label text not null);)";
    const auto id = [](int n) {
        return "'00000000-0000-0000-0000-" + std::to_string(100000000000 + n) + "'";
    };
    std::string theirs, ours;
    for (int n = 1; n <= 12; ++n) {
        const std::string label = n <= 6 ? "shared" + std::to_string(n) : "own" + std::to_string(n);
        if (n <= 6)
            ours += "insert into tree values (" + id(n) + ", " + (n == 1 ? "null" : id(n - 1)) + ", '" +
                    label + "');";
        theirs += "insert into tree values (" + id(n + 50) + ", " + (n == 1 ? "null" : id(n + 49)) + ", '" +
                  label + "');";
    }
    Pair pair(shared + ours + R"(
        insert into a (code) values ('x'), ('y'); insert into b (code, a_id) values ('bx', 1), ('by', 2);
        update a set b_id = id;)",
              shared + theirs + R"(
        insert into a (code) values ('n1'), ('x'), ('n2'); insert into b (code, a_id) values ('m1', 3), ('bx', 2), ('m2', 1);
        update a set b_id = id;)");
    refresh_as_planned(pair, {"--preserve", "tree", "--preserve", "b", "--preserve", "a"});
    CHECK(pair.target().lines("select a.code, b.code, c.code from a join b on b.id = a.b_id join a c on "
                              "c.id = b.a_id order by 1") == "n1|m1|n2\nn2|m2|n1\nx|bx|x\ny|by|y\n");
    CHECK(pair.target().lines(
              "with recursive t as (select id, label from tree where up is null union all select c.id, "
              "t.label || "
              "'/' || c.label from tree c join t on t.id = c.up) select max(label), count(*) from t") ==
          "shared1/shared2/shared3/shared4/shared5/shared6/own7/own8/own9/own10/own11/own12|12\n");
}

TEST_CASE("columns that only one side has", "[preserve]") {
    Pair pair(std::string(tables) + R"(
        alter table users add column made text not null default 'today', add column gone text;
        insert into users (name) values ('alice'), ('bob'); create table strict (id serial primary key, n text not null unique, v int not null);)",
              std::string(tables) + R"(
        alter table users add column own text default 'none', add column team int;
        create table team (id int primary key, name text); insert into team values (5, 'red');
        alter table users add foreign key (team) references team;
        insert into users (name, own, team) values ('bob', 'of bob', 5), ('carol', 'of carol', 5);
        create table strict (id serial primary key, n text not null unique); insert into strict (n) values ('x');)");
    refresh_as_planned(pair, {"--preserve", "users", "--preserve", "strict"});
    CHECK(pair.target().lines(
              "select u.name, u.made, u.gone, u.own, t.name from users u left join team t on t.id = u.team "
              "order by 1") == "alice|today||none|\nbob|today||of bob|red\ncarol|today||of carol|red\n");
    CHECK(rejected(pair) == "public.strict|column v may not be NULL|1\n");
}

TEST_CASE("deleted in prod stays deleted, --keep-deleted keeps it", "[preserve]") {
    Pair pair(source_sql, target_sql);
    const ProgramResult first = refresh_as_planned(pair, both);
    CHECK(first.err.find("no run before recorded the source's keys") != std::string::npos);
    pair.source().sql(
        "delete from role where user_id = 1; delete from users where name = 'alice'; update users set name = "
        "'robert' where name = 'bob'");
    std::vector<std::string> options = both;
    bool kept = false;
    SECTION("stays deleted") {}
    SECTION("kept") {
        options.push_back("--keep-deleted");
        kept = true;
    }
    refresh_as_planned(pair, options);
    // The source still has bob's id: one key alone is not enough, so the target's bob is kept, as another.
    CHECK(pair.target().lines("select name from users order by 1") ==
          std::string("admin\n") + (kept ? "alice\n" : "") + "bob\ncarol\ndave\nrobert\n");
    CHECK(pair.target().lines(
              "select r.role from role r join users u on u.id = r.user_id where u.name = 'alice'") ==
          (kept ? "dev\n" : ""));
    CHECK(pair.target().value("select has_table_privilege('public', 'pgsluice.key', 'select')") == "f");
}

TEST_CASE("tables without a key, and a row security that hides rows from their owner", "[preserve]") {
    const std::string shared = "create table log (t text, n int);";
    Pair pair(shared + "insert into log values ('s', 1), ('both', 2), (null, 3);",
              shared +
                  "insert into log values ('t', 1), ('both', 2), (null, 3), ('twice', 1), ('twice', 1);");
    refresh_as_planned(pair, {"--preserve", "log"});
    const std::string all = "|3\nboth|2\ns|1\nt|1\ntwice|1\ntwice|1\n";
    CHECK(pair.target().lines("select t, n from log order by coalesce(t, ''), n") == all);
    pair.target().sql("alter table log enable row level security, force row level security; create policy p "
                      "on log using (n > 1)");
    const ProgramResult result = refresh_as_planned(pair, {"--preserve", "log"}, 1);
    CHECK(result.err.find("log") != std::string::npos);
    CHECK(pair.target().lines("select t, n from log order by coalesce(t, ''), n") == all);
}

TEST_CASE("a table that the source lacks is refused before anything is written", "[preserve]") {
    Pair pair(source_sql, target_sql + "create table alone (i int);");
    const ProgramResult result = refresh_as_planned(pair, {"--preserve", "alone"}, 1);
    CHECK(result.err.find("the source lacks a preserved table") != std::string::npos);
    refresh_as_planned(pair, {"--preserve", "nothing"}, 1);
    refresh_as_planned(pair, {"--reference", "role.user_id=users.id"}, 1);
    CHECK(pair.target().value("select to_regclass('pgsluice.run') is null") == "t");
}

TEST_CASE("what is written while the run is on is merged too", "[preserve][late]") {
    // Time to write between the merge and the swap.
    Pair pair(source_sql +
                  "create materialized view slow as select pg_sleep(5)::text as s, count(*) from users;",
              target_sql + R"(
        create table notes (id serial primary key, user_id int not null references users on delete cascade, txt text);
        insert into notes (user_id, txt) values (3, 'carol'), (1, 'bob'), (4, 'dave');)");
    std::string write;
    std::string roles, notes, users;
    SECTION("new, changed and deleted rows") {
        write =
            R"(insert into users (name) values ('eve'), ('admin'); insert into role values (5, 'new'), (6, 'late'), (1, 'more');
            update role set role = 'tester2' where user_id = 3; insert into notes (user_id, txt) values (5, 'eve'), (6, 'admin');
            update users set boss = null; delete from role where user_id = 4; delete from users where name = 'dave';)";
        roles = "admin|admin|admin\nadmin|late|\nalice|dev|admin\nbob|more|\nbob|ops|\ncarol|tester2|"
                "alice\neve|new|\n";
        notes = "admin|admin\nbob|bob\ncarol|carol\neve|eve\n";
        users = "admin\nalice\nbob\ncarol\neve\n";
    }
    SECTION("somebody becomes somebody else") {
        write = "update users set name = 'admin' where name = 'carol'; update users set name = 'zoe' where "
                "name = 'bob'";
        roles = "admin|admin|admin\nadmin|tester|alice\nalice|dev|admin\ndave|admin|admin\nzoe|ops|\n";
        notes = "admin|carol\ndave|dave\nzoe|bob\n";
        users = "admin\nalice\nbob\ndave\nzoe\n";
    }
    SECTION("nothing") {
        write = "select 1";
        roles = expected_roles;
        notes = "bob|bob\ncarol|carol\ndave|dave\n";
        users = "admin\nalice\nbob\ncarol\ndave\n";
    }
    Program run(pgsluice_command(pair.arguments("refresh", both)));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool written = false;
    while (!written && run.running() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (pair.target().cluster().value(
                "select count(*) from pg_stat_activity where query ilike '%refresh%slow%' and state = "
                "'active' and pid <> pg_backend_pid()") == "0")
            continue;
        pair.target().sql(write);
        written = true;
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    REQUIRE(written);
    CHECK(result.exit_code == 0);
    CHECK(pair.target().lines(who_has_what) == roles);
    CHECK(pair.target().lines("select name from users order by 1") == users);
    CHECK(pair.target().lines(
              "select u.name, n.txt from notes n join users u on u.id = n.user_id order by 1, 2") == notes);
    CHECK(rejected(pair).empty());
    CHECK(pair.target().value(
              "select count(*) from pg_constraint where contype = 'f' and not convalidated") == "0");
    CHECK(pair.target().value("select nextval('users_id_seq') > max(id) from users") == "t");
}

TEST_CASE("--reference follows in preserved rows, too", "[preserve]") {
    const std::string badge = "create table badge (code text primary key, who int not null);";
    Pair pair(source_sql + badge + "insert into badge values ('s1', 1);",
              target_sql + badge +
                  "insert into badge values ('carol', 3), ('bob', 1), ('nobody', 99), ('s1', 4);");
    std::vector<std::string> options = both;
    options.insert(options.end(), {"--preserve", "badge", "--reference", "badge.who=users.id"});
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(
              "select b.code, u.name from badge b left join users u on u.id = b.who order by 1") ==
          "bob|bob\ncarol|carol\ns1|alice\n");
    CHECK(rejected(pair) == "public.badge|reference (who): the source has no such row of public.users|1\n");
}

TEST_CASE("rows are staged in the new database, unlogged, and nowhere else", "[preserve]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all", "log_line_prefix=%d "};
    TestCluster server{logging};
    DatabaseOptions source, target;
    source.sql = source_sql;
    target.sql = target_sql;
    Pair pair(TestCluster::shared(), source, server, target);
    const std::size_t began = server.log().size();
    const ProgramResult result = pair.run("refresh", both);
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    const std::string log = server.log().substr(began), name = pair.target().name();
    int made = 0, copied = 0;
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = std::min(log.find('\n', at), log.size());
        const std::string line = log.substr(at, end - at);
        at = end + 1;
        const bool is_new = line.starts_with(name + "_pgsluice_");
        const bool makes = line.find("create unlogged table pgsluice.raw_") != std::string::npos;
        const bool copies = line.find("copy pgsluice.raw_") != std::string::npos;
        CHECK((is_new || (!makes && !copies)));
        made += makes ? 1 : 0;
        copied += copies ? 1 : 0;
    }
    CHECK(made == 2);
    CHECK(copied >= 2);
}
