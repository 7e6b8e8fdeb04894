// Definitions that a server writes otherwise once it has read them, and settings of roles that would change
// what is read or written: neither stops a run nor shows in verify.
#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("lists of values, VALUES and set operations, in every place of an expression", "[definitions]") {
    Pair pair(R"(
        create table t (a int, s varchar(10), d date, b bool);
        insert into t select i, 'a', '2020-01-01', true from generate_series(1, 5) i;
        create table chk (s varchar check (s in ('a', 'b')), c char(2) check (c in ('x', 'y')),
            t text check (t in ('a', 'b') or t ~ '^x'), v varchar default 'x' check (v <> all (array['a', 'b'])));
        insert into chk values ('a', 'x', 'a', 'x');
        create domain dom as varchar(5) check (value in ('a', 'b'));
        create table gen (s varchar, g bool generated always as (s in ('a', 'b')) stored,
            e bool default ('x'::varchar in ('a', 'b')), o dom);
        insert into gen (s, o) values ('a', 'b');
        create view listed as select s not in ('a', 'b') as x, (array[1, 2]::bigint[])::text[] as y,
            s::char(3) in ('a', 'b') as z from t where s in ('a', 'b');
        create view valued (a, b) as values (1, 'x'), (2, 'y');
        create view united as select 1 as x union all (select 2 union values (4), (5));
        create view nested as select a from t where s in (select 'a' union select 'b');
        create materialized view kept as select * from t where s in ('a', 'b');
        create index on t (a) where s in ('a', 'b');
        create index on t ((s in ('a', 'b')));
        create statistics st on (s in ('a', 'b')), a from t;
        create function f(s varchar) returns int language sql begin atomic
            select case when s in ('a', 'b') then 1 else 2 end; end;
        create rule r as on insert to listed where new.x in (true, false) do instead nothing;
        create policy p on t using (s in ('a', 'b'));
        create function tf() returns trigger language plpgsql as 'begin return new; end';
        create trigger tr before update on t for each row when (new.s in ('a', 'b')) execute function tf();
        create table pt (s varchar) partition by list ((s in ('a', 'b')));
        create table pt_true partition of pt for values in (true);)");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK_FALSE(contains(result.err, "remark:"));
    }
    CHECK(pair.run("verify").ok());
    CHECK(pair.target().value("select count(*) from pgsluice.pending") == "0");
}

TEST_CASE("time zones, arrays and money arrive whatever the roles' settings are", "[definitions]") {
    Pair pair(R"(
        create table arrays (id int primary key, texts text[], ints int[] default '{1,null}');
        insert into arrays values (1, array[null, 'NULL'], array[1, null]), (2, '{}', default);
        create table times (at timestamptz not null default '2020-01-01 00:00:00+05',
            check (at > '2000-01-01 00:00:00+00')) partition by range (at);
        create table times_2020 partition of times for values from ('2020-01-01 00:00:00+01') to ('2021-01-01');
        insert into times values ('2020-06-01 12:00:00+00');
        create table prices (price money default 12.5::numeric::money); insert into prices values (1.5::numeric::money);)");
    const std::string role = pair.target().owner();
    Session admin{pair.target().cluster().superuser_conninfo("postgres")};
    for (const char* setting :
         {"timezone to 'Asia/Kolkata'", "array_nulls to off", "exit_on_error to on",
          "transform_null_equals to on", "default_transaction_isolation to serializable",
          "datestyle to 'German, DMY'", "quote_all_identifiers to on"})
        admin.sql("alter role " + role + " in database " + pair.target().name() + " set " + setting);
    const ProgramResult result = pair.run("refresh", {"--verify=checksum"});
    INFO(result.text());
    REQUIRE(result.ok());
    Session target{pair.target().cluster().superuser_conninfo(pair.target().name())};
    CHECK(target.value(
              "select texts[1] is null and texts[2] = 'NULL' and ints[2] is null from arrays where id = 1") ==
          "t");
    const ProgramResult verified = pair.run("verify", {"--rows", "checksum"});
    INFO(verified.text());
    CHECK(verified.ok());
    CHECK_FALSE(contains(verified.out, "differs"));
}

TEST_CASE("an extension without its comment, a child with its own order of columns, an invalid index",
          "[definitions]") {
    Pair pair(R"(
        create extension citext; comment on extension citext is null;
        create table above (a int not null, b text, check (a > 0), g int generated always as (a * 2) stored);
        create table below (g int generated always as (a * 2) stored, x int, b text, a int not null,
            constraint above_a_check check (a > 0));
        alter table below inherit above;
        insert into below (b, a, x) values ('b', 1, 2);
        create table twice (id int); insert into twice values (1), (1);)");
    try {
        pair.source().sql("create unique index concurrently twice_id on twice (id)");
        FAIL("two equal rows are no obstacle");
    } catch (const std::exception&) {
        // An invalid index stays.
    }
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(contains(result.err, "invalid index public.twice_id"));
    CHECK(pair.target().value(
              "select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = "
              "'below'::regclass and attnum > 0") == "g,x,b,a");
    CHECK(pair.target().value("select count(*) from above") == "1");
    CHECK(pair.run("verify").ok());
}
