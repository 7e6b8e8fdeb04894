// In which order, and under which locks, what hangs on a table is made; and what is left out with it.
#include "support/catch.hpp"
#include "support/merged.hpp"
#include "support/oracle.hpp"
#include "support/text.hpp"

using namespace pgsluice::tests;

namespace {

ProgramResult refresh(const Pair& pair, std::vector<std::string> more = {}) {
    more.push_back("--source-is-right"); // as small as it is
    ProgramResult result = pair.run("refresh", more);
    INFO(result.text());
    REQUIRE(result.ok());
    return result;
}

void refresh_to_equal(const Pair& pair) {
    refresh(pair);
    expect_equal_databases(pair.source(), pair.target());
}

} // namespace

TEST_CASE("indexes that mark their table are built beside others of it", "[extras]") {
    const std::string table = "create table ix (a int not null, b text);";
    Pair pair(table + "insert into ix select i, md5(i::text) from generate_series(1, 60000) i;",
              table + R"(create index i9 on ix (b); alter table ix cluster on i9;
        create unique index iri on ix (a); alter table ix replica identity using index iri;
        create index i10 on ix (a, b); create materialized view mv as select a from ix;
        create index mv_a on mv (a); alter materialized view mv cluster on mv_a;)");
    refresh(pair);
    CHECK(pair.target().lines("select indexrelid::regclass, indisclustered, indisreplident from pg_index "
                              "where indrelid in ('ix'::regclass, 'mv'::regclass) order by 1::text") ==
          "i10|f|f\ni9|t|f\niri|f|t\nmv_a|t|f\n");
    CHECK(pair.target().value("select relreplident from pg_class where relname = 'ix'") == "i");
    CHECK(pending(pair).empty());
}

TEST_CASE("a column of preprod is NOT NULL before it is a replica identity", "[extras]") {
    Pair pair("create table t (id int primary key); insert into t values (1), (2)",
              "create table t (id int primary key); alter table t add k int generated always as identity; "
              "alter table t add d int not null default 5; create unique index t_k on t (k, d, id); "
              "alter table t replica identity using index t_k;");
    refresh(pair);
    CHECK(pair.target().value("select relreplident from pg_class where relname = 't'") == "i");
    CHECK(pending(pair).empty());
}

TEST_CASE("a table that cannot be made waits with its checks", "[extras]") {
    Pair pair(
        "create function f(int) returns text language sql immutable as 'select 1::text'; create table a (x "
        "int);",
        R"(create function f(int) returns int language sql immutable as 'select 1'; create table a (x int);
        create table p (b int, constraint cn check (b < 100));
        create table et (a int default f(1), constraint own check (a <> 3)) inherits (p);
        create table et2 (c int check (c > 1)) inherits (et); insert into et2 values (1, 1, 5);
        create domain small as int default f(1) constraint is_small check (value < 9);)");
    for (int run = 0; run < 2; ++run) {
        refresh(pair);
        CHECK(contains(pending(pair), "cannot table public.et\ncannot table public.et2\n"));
        CHECK(pair.target().value("select count(*) from pgsluice.pending where kind = 'check'") == "0");
        CHECK(pair.target().value("select to_regclass('et') is null") == "t");
        CHECK(pair.target().value("select count(*) from p") == "0");
    }
    pair.source().sql(
        "drop function f(int); create function f(int) returns int language sql immutable as 'select 1'");
    refresh(pair);
    CHECK_FALSE(contains(pending(pair), "cannot table"));
    CHECK(pair.target().value("select count(*) from pg_constraint where conname in ('own', 'et2_c_check', "
                              "'is_small')") == "4"); // et2 inherits own
}

TEST_CASE("a trigger is made before the rights of the table that it is from", "[rights]") {
    // Bigger than what it is from, so that it is ready later.
    const std::string tables = R"(create table a (id int, x int); create table b (a int primary key, t text);
        create function f() returns trigger language plpgsql as 'begin return null; end';)";
    const std::string trigger = "create constraint trigger tr after update on b from a not deferrable for "
                                "each row execute function f();";
    const std::string rows = "insert into b select i, repeat('x', 1000) from generate_series(1, 5000) i;";
    SECTION("of the source") {
        Pair pair(tables + rows + trigger + "revoke trigger on a from app;");
        refresh_to_equal(pair);
    }
    SECTION("of the target's own") {
        Pair pair(tables + rows, tables + trigger + "revoke trigger on a from app;");
        refresh(pair);
        CHECK(pair.target().value("select count(*) from pg_trigger where tgname = 'tr'") == "1");
        CHECK(pair.target().value("select has_table_privilege('app', 'a', 'trigger')") == "f");
    }
    SECTION("a foreign key, too") {
        Pair pair("create table a (id int primary key); create table b (a int references a, t text); "
                  "insert into a values (1); insert into b select 1, repeat('x', 1000) from "
                  "generate_series(1, 5000); revoke references on a from app;");
        refresh_to_equal(pair);
    }
}

TEST_CASE("a child keeps what its parent has changed without it", "[kinds]") {
    Pair pair(R"(
        create table p (a text, b text, c int); create table q (b text, a text);
        create table c1 () inherits (p); create table c2 (b text, d text) inherits (p); create table g () inherits (c1);
        create table two () inherits (p, q); create table two2 (a text) inherits (q, p);
        alter table only p alter a set storage external; alter table only p alter b set compression pglz;
        alter table only q alter a set storage main; alter table only q alter b set compression lz4;
        alter table only p alter b set storage plain; alter table only two alter b set storage external;
        alter table only c1 alter a set storage main; alter table only two2 alter b set compression pglz;
        create table part (id int, t text) partition by list (id); create table part1 partition of part for values in (1);
        alter table only part1 alter t set storage external;
    )");
    refresh_to_equal(pair);
    refresh_to_equal(pair);
}

TEST_CASE("a serial column that prod has moved to identity is what prod has made of it", "[extras]") {
    Pair pair(R"(create table b (id int primary key, n int generated by default as identity);
        create table g (id int primary key, n int, twice int generated always as (n * 2) stored);
        create table r (id int primary key, n int generated always as identity);
        insert into b values (1); insert into r values (1);)",
              R"(create table b (id int primary key, n serial);
        create table g (id int primary key, n int, twice int default 7);
        create table r (id int primary key, n serial); alter sequence r_n_seq rename to old_numbers;)");
    for (int run = 0; run < 2; ++run) {
        refresh(pair, run == 0 ? std::vector<std::string>{} : std::vector<std::string>{"--strict"});
        CHECK(pair.target().lines(
                  "select attrelid::regclass, attidentity, attgenerated from pg_attribute where "
                  "attname in ('n', 'twice') and attrelid in ('b'::regclass, 'g'::regclass, "
                  "'r'::regclass) order by attnum, 1::text") == "b|d|\ng||\nr|a|\ng||s\n");
        CHECK_FALSE(contains(pending(pair), "cannot"));
        pair.target().sql("insert into b values (2 + (select count(*) from b)), (9)");
    }
    // Whoever uses it has it.
    CHECK(pair.target().value("select nextval('old_numbers')") == "1");
}

TEST_CASE("an identity column that prod still has as serial is what prod has", "[extras]") {
    Pair pair(R"(create table b (id int primary key, n serial); create table r (id int primary key, n serial);
        create table s (id int primary key, n int not null);)",
              R"(create table b (id int primary key, n int generated by default as identity);
        create table r (id int primary key, n int generated always as identity); alter sequence r_n_seq rename to mine;
        create table s (id int primary key, n int generated always as identity);)");
    for (int run = 0; run < 2; ++run) {
        refresh(pair);
        // Only where prod says nothing.
        CHECK(pair.target().lines(
                  "select attrelid::regclass, attidentity from pg_attribute where attname = 'n' "
                  "and attrelid in ('b'::regclass, 'r'::regclass, 's'::regclass) order by 1::text") ==
              "b|\nr|\ns|a\n");
        CHECK_FALSE(contains(pending(pair), "cannot"));
    }
}

TEST_CASE("what is NOT VALID on the target comes so, without a word, and what we made so is tried again",
          "[extras]") {
    const std::string users = "create table users (id int primary key);";
    Pair pair(users + "insert into users values (1), (2), (3);", users + R"(insert into users values (1), (7);
        create table fits (id int primary key, u int); insert into fits values (1, 1);
        alter table fits add constraint fits_key foreign key (u) references users not valid;
        create table breaks (u int); insert into breaks values (99);
        alter table breaks add constraint breaks_key foreign key (u) references users not valid;
        create table ours (u int constraint ours_key references users); insert into ours values (7);)");
    const auto valid = [&] {
        return pair.target().lines(
            "select conname, convalidated from pg_constraint where contype = 'f' order by 1");
    };
    const ProgramResult result = refresh(pair);
    CHECK_FALSE(contains(result.err, "validate foreign key fits_key"));
    CHECK_FALSE(contains(result.err, "validation of foreign key breaks_key"));
    CHECK(contains(result.err, "remark: validation of foreign key ours_key"));
    CHECK(valid() == "breaks_key|f\nfits_key|f\nours_key|f\n");
    CHECK(pending(pair) == "cannot validation of foreign key ours_key on public.ours\n");
    refresh(pair, {"--strict"}); // nothing new
    CHECK(pending(pair) == "cannot validation of foreign key ours_key on public.ours\n");
    pair.source().sql("insert into users values (7)");
    refresh(pair);
    CHECK(valid() == "breaks_key|f\nfits_key|f\nours_key|t\n");
    CHECK(pending(pair).empty());
    CHECK(pair.run("verify").ok());
}

TEST_CASE("DEPENDS ON EXTENSION plpgsql comes along", "[kinds]") {
    Pair pair(
        "create function f() returns int language sql as 'select 1'; alter function f() depends on extension "
        "plpgsql;");
    refresh_to_equal(pair);
}

TEST_CASE("a multirange type is a name that is taken", "[extras]") {
    Pair pair(
        "create type zz as range (subtype = int, multirange_type_name = zzm); create table t (r zzm);",
        "create type aa as range (subtype = date, multirange_type_name = zzm); create table own (r aa); "
        "create type zzm2 as enum ('a'); create table t (r zzm);");
    refresh(pair);
    CHECK(contains(pending(pair), "cannot range type public.aa\n"));
    CHECK(contains(pending(pair), "cannot table public.own\n"));
}
