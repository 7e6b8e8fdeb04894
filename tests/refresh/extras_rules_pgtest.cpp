// Sentences of rules.md section 1 that need more than a table and a view: partitions, columns whose values
// the server cannot compute, rows that cannot come along, lines of pgsluice.pending over several runs.
#include "support/catch.hpp"
#include "support/merged.hpp"
#include "support/oracle.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

constexpr const char* tree = R"(
    create table cust (id int primary key);
    create table ev (id int not null, at date not null, c int references cust, note text, primary key (id, at))
        partition by range (at);
    create index ev_note on ev (note);
    create table ev_2024 partition of ev for values from ('2024-01-01') to ('2025-01-01');
    create table ev_rest partition of ev default;
    create function tf() returns trigger language plpgsql as 'begin return new; end';
    create trigger tr after insert on ev for each row execute function tf();)";

} // namespace

TEST_CASE("a partition that only the target has comes empty with its own names, unless it overlaps",
          "[extras]") {
    Pair pair(std::string(tree) + R"(
        insert into cust values (1), (2), (3);
        insert into ev select i, '2024-03-01', 1, 'x' from generate_series(1, 50) i;
        insert into ev values (1, '2026-02-01', 1, 'in the rest');)",
              std::string(tree) + R"(
        insert into cust values (1), (2), (3);
        create table ev_2025 partition of ev for values from ('2025-01-01') to ('2026-01-01');
        alter index ev_2025_note_idx rename to "Own name"; create index ev_2025_own on ev_2025 (c);
        insert into ev select i, '2025-03-01', 1, 'x' from generate_series(1, 50) i;
        create table ev_2026 partition of ev for values from ('2026-01-01') to ('2027-01-01');)");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(contains(pending(pair), "cannot table public.ev_2026\n"));
        CHECK_FALSE(contains(pending(pair), "ev_2025"));
        CHECK(pair.target().value("select to_regclass('ev_2026') is null") == "t");
        CHECK(pair.target().value("select count(*) from ev_2025") == "0");
        CHECK(pair.target().value("select count(*) from ev") == "51");
        CHECK(pair.target().value(
                  "select string_agg(indexrelid::regclass::text, ',' order by 1) from (select indexrelid "
                  "from pg_index where indrelid = 'ev_2025'::regclass and indisvalid order by "
                  "indexrelid::regclass::text) i") == "\"Own name\",ev_2025_own,ev_2025_pkey");
        CHECK(pair.target().value("select bool_and(convalidated) from pg_constraint where conrelid = "
                                  "'ev_2025'::regclass") == "t");
        CHECK(pair.target().value(
                  "select bool_and(indisvalid) from pg_index where indrelid = 'ev'::regclass") == "t");
    }
    // Its room is free: the next run makes it, with all that belongs to it.
    pair.source().sql("delete from ev where at > '2026-01-01'");
    REQUIRE(pair.run("refresh").ok());
    CHECK(pair.target().value("select to_regclass('ev_2026') is not null") == "t");
    CHECK_FALSE(contains(pending(pair), "ev_2026"));
    CHECK(pair.run("verify").ok());
}

TEST_CASE("a column whose values the server cannot compute for the source's rows waits, and stops nothing",
          "[extras]") {
    Pair pair("create table t (id int primary key, n int); insert into t select i, i - 1 from "
              "generate_series(1, 9) i",
              R"(create table settings (v int); insert into settings values (7);
        create table t (id int primary key, n int);
        create function setting() returns int language sql stable as 'select v from public.settings';
        alter table t add column share int generated always as (100 / n) stored;
        alter table t add column chosen int not null default setting();
        alter table t add column stamp timestamptz default now();)");
    const ProgramResult result = pair.run("refresh", {"--source-is-right"});
    INFO(result.text());
    REQUIRE(result.ok());
    // It alone: those beside it come.
    CHECK(pending(pair) == "cannot column share of table public.t\n");
    CHECK(pair.target().value("select count(chosen) || ' ' || min(chosen) || ' ' || count(stamp) from t") ==
          "9 7 9");
    CHECK(pair.target().value(
              "select attnotnull from pg_attribute where attrelid = 't'::regclass and attname = "
              "'chosen'") == "t");
    CHECK(pair.target().value("select count(*) from t") == "9");
    CHECK(pair.target().value("select count(*) from settings") == "1");
}

TEST_CASE("a column that cannot come takes no value of its neighbours along from a preserved row",
          "[extras][preserve]") {
    const std::string both =
        "create table u (id serial primary key, login text not null unique, n int not null);";
    Pair pair(both + "insert into u (login, n) values ('ann', 0), ('bob', 1)",
              both + R"(alter table u add column mark text default 'none';
        alter table u add column share int generated always as (100 / n) stored;
        insert into u (login, n, mark) values ('eve', 5, 'hers'), ('bob', 2, 'his');)");
    const ProgramResult result = pair.run("refresh", {"--preserve", "u"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pending(pair) == "cannot column share of table public.u\n");
    CHECK(pair.target().value(
              "select string_agg(login || ' ' || n || ' ' || mark, ',' order by login) from u") ==
          "ann 0 none,bob 1 his,eve 5 hers");
}

TEST_CASE("the source's rows take the default of a column that only the target has", "[extras]") {
    Pair pair("create table t (id int primary key); insert into t select generate_series(1, 9)",
              R"(create table t (id int primary key);
        alter table t add column fixed text not null default 'x', add column num serial, add column own int unique,
            add column key bigint generated always as identity, add check (num > 0);
        insert into t values (77);)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().value(
              "select count(*) || ' ' || count(distinct num) || ' ' || count(distinct key) || ' ' || "
              "min(fixed) from t") == "9 9 9 x");
    CHECK(pair.target().value("select nextval('t_num_seq') > (select max(num) from t)") == "t");
    CHECK(pair.target().value(
              "select attnotnull from pg_attribute where attrelid = 't'::regclass and attname = "
              "'fixed'") == "t");
}

TEST_CASE("rows of an extra that its table does not take are kept, and only copies are named before they go",
          "[extras]") {
    Pair pair(R"(create domain small as int check (value < 10);
        create table t (id int primary key); insert into t values (1);
        create table gone (id int primary key); insert into gone values (1), (2);)",
              "create domain small as int; create table t (id int primary key)");
    REQUIRE(pair.run("refresh").ok());
    pair.target().sql(
        "alter domain small drop constraint small_check; create table own (id int primary key, b small, r "
        "jsonb); insert into own values (1, 5, '{}'), (2, 500, '{\"a\": 1}')");
    pair.source().sql("drop table gone");
    pair.target().sql("analyze gone");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(contains(result.err, "its 2 rows do not come along and are kept in pgsluice.rejected"));
    CHECK(
        pair.target().value("select string_agg(\"row\" ->> 'b', ',' order by 1) from pgsluice.rejected where "
                            "table_name = 'public.own'") == "5,500");
    CHECK(pair.target().value("select \"row\" -> 'r' from pgsluice.rejected where \"row\" ->> 'id' = '2'") ==
          "{\"a\": 1}");
    const ProgramResult plan = pair.run("plan");
    INFO(plan.text());
    CHECK(contains(plan.out, "Tables whose only copy goes with it (1)\n  public.gone, about 2 rows"));
    const ProgramResult next = pair.run("refresh");
    INFO(next.text());
    CHECK(contains(next.err, "with it the only copy of the target's public.gone"));
}

TEST_CASE("the target's definitions stay in pgsluice.pending, and what the source changed is none of them",
          "[extras]") {
    const std::string both = "create table t (id int primary key, n int); create view v as select id from t;";
    Pair pair(both + "insert into t values (1, 1)", both);
    REQUIRE(pair.run("refresh").ok());
    pair.target().sql("create or replace view v as select id from t where id > 5");
    pair.source().sql("alter table t alter n set default 5");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pending(pair) == "drift view public.v\n");
        CHECK(contains(pair.target().value("select sql from pgsluice.pending"), "> 5"));
    }
}

TEST_CASE("--keep takes names with and without a schema, and says what names nothing", "[extras]") {
    Pair pair(
        "create table t (id int); create table a (id int); create table b (id int); create table c (id int)",
        "");
    REQUIRE(pair.run("refresh").ok());
    pair.source().sql("drop table a, b, c");
    const ProgramResult result =
        pair.run("refresh", {"--keep", "a", "--keep", "public.b", "--keep", "nothing*"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().value(
              "select to_regclass('a') is not null and to_regclass('b') is not null and to_regclass('c') "
              "is null") == "t");
    CHECK(contains(result.err, "--keep nothing*"));
}

TEST_CASE("a table that the migration makes anew is told, if the target has rows in it", "[migrations]") {
    Pair pair("create table t (id int primary key); insert into t values (1)",
              "create table t (id int primary key); create table promo (id int primary key); insert into "
              "promo values "
              "(1); analyze promo");
    const ProgramResult result =
        pair.run("refresh", {"--migrate", "psql -X -c 'create table promo (id int primary key)'"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(contains(result.err, "table public.promo: the migration has made it anew"));
    const ProgramResult kept =
        pair.run("refresh", {"--migrate", "psql -X -c 'create table promo (id int primary key)'",
                             "--preserve", "promo"});
    INFO(kept.text());
    CHECK_FALSE(contains(kept.err, "made it anew"));
    pair.target().sql("insert into promo values (2); analyze promo");
    const ProgramResult filled =
        pair.run("refresh", {"--migrate", "psql -X -c 'create table promo as select 7 as id'"});
    INFO(filled.text());
    REQUIRE(filled.ok());
    CHECK(contains(filled.err, "table public.promo: the migration has made it, rows and all"));
}

TEST_CASE("an extra brings along the schema and type that it needs, whatever became of these on the source",
          "[extras]") {
    const std::string both =
        "create schema lab; create type mood as enum ('ok'); create domain small as int check (value < 10);"
        "create table t (id int primary key); create table older (id int, m mood);";
    Pair pair(both, both);
    REQUIRE(pair.run("refresh").ok()); // both are recorded as the source's
    pair.source().sql("drop table older; drop schema lab; drop type mood; drop domain small");
    pair.target().sql("insert into older values (1, 'ok');"
                      "create table lab.own (id int primary key, m mood, s small); insert into lab.own "
                      "values (1, 'ok', 9)");
    const ProgramResult result = pair.run("refresh", {"--keep", "public.older"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pending(pair) == "");
    CHECK(pair.target().value("select count(*) from pgsluice.rejected") == "0");
    REQUIRE(pair.target().value("select to_regclass('lab.own') is not null and to_regclass('older') is not "
                                "null") == "t");
    CHECK_THROWS(pair.target().sql("update lab.own set s = 10"));
    CHECK(pair.target().value("select (select m from lab.own)::text || (select m from older)::text") ==
          "okok");
}

TEST_CASE("a name that the source has for something else is the source's, the target's waits with its rows",
          "[extras]") {
    Pair pair(R"(create table t (id int primary key); insert into t values (1);
        create view was_table as select id from t; create table was_view (id int);
        create function result(a int) returns int language sql as 'select a';
        create function argument(a int) returns int language sql as 'select a';
        create procedure routine(a int) language sql as 'select 1';)",
              R"(create table t (id int primary key);
        create table was_table (id int primary key); insert into was_table values (5);
        create view was_view as select id from t;
        create function result(a int) returns text language sql as 'select ''theirs''';
        create function argument(b int) returns int language sql as 'select b + 1';
        create function routine(a int) returns int language sql as 'select 2';)");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pair.target().value(
                  "select string_agg(relname::text || relkind::text, ' ' order by relname) from "
                  "pg_class where relname in ('was_table', 'was_view')") == "was_tablev was_viewr");
        CHECK(pair.target().value(
                  "select concat_ws(' ', pg_get_function_result('result(int)'::regprocedure), "
                  "(select proargnames[1] || prosrc from pg_proc where proname = 'argument'), "
                  "(select prokind from pg_proc where proname = 'routine'))") == "integer aselect a p");
        const std::string waiting = pending(pair);
        INFO(waiting);
        for (const char* line :
             {"cannot table public.was_table\n", "cannot view public.was_view\n",
              "cannot function public.routine(integer)\n", "drift function public.result(integer)\n",
              "drift function public.argument(integer)\n"})
            CHECK(contains(waiting, line));
        CHECK(pair.target().value("select bool_and(sql <> '') from pgsluice.pending") == "t");
        CHECK(pair.target().value("select \"row\" ->> 'id' from pgsluice.rejected where table_name = "
                                  "'public.was_table'") == "5");
    }
}

TEST_CASE("triggers, rules, policies and constraints of one name on two tables are two", "[extras]") {
    const std::string both =
        "create table a (id int primary key, v int); create table b (id int primary key, v int);"
        "create function f() returns trigger language plpgsql as 'begin return new; end';";
    const auto on = [](const std::string& table) {
        return "create trigger same before insert on " + table + " for each row execute function f();" +
               "create rule same as on delete to " + table + " do also nothing;" + "create policy same on " +
               table + " using (v > 0); alter table " + table + " add constraint same check (v > 0);";
    };
    std::string where;
    for (const std::string of : {"tgrelid::regclass::text from pg_trigger where tgname",
                                 "ev_class::regclass::text from pg_rewrite where rulename",
                                 "polrelid::regclass::text from pg_policy where polname",
                                 "conrelid::regclass::text from pg_constraint where conname"})
        where += (where.empty() ? "select concat_ws(' '" : "") +
                 (", (select string_agg(t, '' order by t) from (select " + of + " = 'same') q(t))");
    where += ")";
    Pair pair(both + on("a"), both + on("a") + on("b"));
    REQUIRE(pair.run("refresh").ok());
    CHECK(pair.target().value(where) == "ab ab ab ab");
    // Those on a were the source's, those on b never.
    pair.source().sql("drop trigger same on a; drop rule same on a; drop policy same on a;"
                      "alter table a drop constraint same");
    REQUIRE(pair.run("refresh").ok());
    CHECK(pair.target().value(where) == "b b b b");
}

TEST_CASE(
    "what prod dropped: overloads are told apart, --keep takes columns and labels, which are extras then",
    "[extras]") {
    Pair pair(R"(create type mood as enum ('a', 'b'); create table t (id int, gone int, old int);
        create function f(int) returns int language sql as 'select 1';
        create function f(text) returns int language sql as 'select 2';)",
              "");
    REQUIRE(pair.run("refresh").ok());
    pair.source().sql("drop type mood; create type mood as enum ('a');"
                      "alter table t drop column gone, drop column old; drop function f(int)");
    pair.target().sql("create function f(bigint) returns int language sql as 'select 3'");
    std::vector<std::string> keep = {"--keep", "t.gone", "--keep", "public.mood.b"};
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh", keep);
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pair.target().value("select string_agg(attname, ',' order by attnum) from pg_attribute where "
                                  "attrelid = 't'::regclass and attnum > 0 and not attisdropped") ==
              "id,gone");
        CHECK(pair.target().value("select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum") ==
              "a,b");
        CHECK(pair.target().value("select string_agg(oid::regprocedure::text, ' ' order by "
                                  "oid::regprocedure::text) from pg_proc where proname = 'f'") ==
              "f(bigint) f(text)");
        keep.clear(); // the last run did not bring them any more
    }
}

TEST_CASE("comments of shared objects: the target's own come along, those that the last run brought do not",
          "[extras]") {
    Pair pair("create table t (id int primary key, n int); comment on table t is 'of prod'; comment on "
              "column t.n is 'of prod'",
              "create table t (id int primary key, n int)");
    REQUIRE(pair.run("refresh").ok());
    pair.source().sql("comment on table t is null; comment on column t.n is null");
    pair.target().sql("comment on column t.id is 'ours'");
    REQUIRE(pair.run("refresh").ok());
    CHECK(pair.target().value("select concat_ws(' ', col_description('t'::regclass, 1), "
                              "obj_description('t'::regclass), col_description('t'::regclass, 2))") ==
          "ours");
}

TEST_CASE("without a record nothing counts as dropped in prod, and the first run says so", "[extras]") {
    Pair pair("create table t (id int)", "create table t (id int); create table own (id int)");
    CHECK(contains(pair.run("plan").out, "no record of an earlier run: nothing counts as dropped in prod"));
    const ProgramResult first = pair.run("refresh"), second = pair.run("refresh");
    INFO(first.text() << second.text());
    REQUIRE(second.ok());
    CHECK(contains(first.err, "no earlier run is recorded"));
    CHECK_FALSE(contains(second.err, "no earlier run is recorded"));
    CHECK(pair.target().value("select to_regclass('own') is not null") == "t");
}
