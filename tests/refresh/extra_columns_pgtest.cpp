// Columns, attributes, labels, keys and checks that only the target has (rules.md section 1): what the
// source's rows say to them, and where they stand.
#include "support/catch.hpp"
#include "support/merged.hpp"
#include "support/session.hpp"
#include "support/shop.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("columns and labels that only the target has come after the source's, rows take the default",
          "[extras][extras-columns]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) + R"(
        alter type mood add value 'happy' after 'sad';
        alter table users add column level int not null default 7, add column tag text, add column must text not null;
        comment on column users.level is 'from the next release';
        grant select (level), update (level) on users to public;
        alter table users add constraint level_positive check (level > 0);
        alter table users add constraint tag_there check (tag is not null);
        create index users_level on users (level);
        create view levels as select id, level, feeling from users;
        create table feelings (feeling mood); insert into feelings values ('happy');
        insert into users (name, level, must, tag) values ('x', 1, 'y', 't');)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value(
              "select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = "
              "'users'::regclass and attnum > 0") == "id,name,feeling,level,tag,must");
    CHECK(pair.target().value(
              "select count(*) from users where level = 7 and tag is null and must is null") == "50");
    CHECK(pair.target().value(
              "select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid "
              "= 'mood'::regtype") == "sad,happy,ok");
    CHECK(pair.target().value("select feeling from feelings") == "happy");
    CHECK(pair.target().value("select count(*) from levels") == "50");
    CHECK(pair.target().value("select convalidated from pg_constraint where conname = 'level_positive'") ==
          "t");
    CHECK(pair.target().value("select convalidated from pg_constraint where conname = 'tag_there'") == "f");
    CHECK(contains(pending(pair), "check tag_there"));
    CHECK(pair.target().value("select col_description('users'::regclass, 4)") == "from the next release");
    CHECK(pair.target().value("select attacl::text from pg_attribute where attrelid = 'users'::regclass and "
                              "attname = 'level'") == "{=rw/app}");
    CHECK(
        pair.target().value("select string_agg(attname || attnotnull, ' ' order by attnum) from pg_attribute "
                            "where attrelid = 'users'::regclass and attname in ('level', 'must')") ==
        "leveltrue mustfalse");
    CHECK(contains(result.err, "remark: column must of table public.users"));
    CHECK(contains(result.err, "NOT NULL without a default becomes nullable"));
    pair.target().sql("insert into users (name, tag) values ('new', 't')");
    const ProgramResult again = pair.run("refresh");
    INFO(again.text());
    CHECK(again.exit_code == 0);
    CHECK(pair.target().value("select convalidated from pg_constraint where conname = 'tag_there'") == "f");
}

TEST_CASE("a foreign key that missing rows of prod break stays NOT VALID until they are there",
          "[extras][extras-fk]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) + R"(
        insert into users (id, name) values (1, 'user 1'), (900, 'only here');
        create table feature (id int primary key, user_id int references users);
        insert into feature values (1, 1), (2, 900);)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value("select string_agg(user_id::text, ',' order by id) from feature") == "1,900");
    CHECK(pair.target().value(
              "select convalidated from pg_constraint where conname = 'feature_user_id_fkey'") == "f");
    CHECK(
        contains(pending(pair), "cannot validation of foreign key feature_user_id_fkey on public.feature\n"));
    CHECK(contains(pair.target().lines("select reason from pgsluice.pending"),
                   "FOREIGN KEY (user_id) REFERENCES"));
    CHECK_FALSE(contains(result.text(), "900"));
    CHECK(pair.run("verify").exit_code == 0);
    CHECK(contains(result.err, "remark: validation of foreign key feature_user_id_fkey on public.feature"));
    CHECK_THROWS(pair.target().sql("insert into feature values (3, 901)"));
    const ProgramResult still = pair.run("refresh");
    INFO(still.text());
    REQUIRE(still.exit_code == 0);
    CHECK(
        contains(pending(pair), "cannot validation of foreign key feature_user_id_fkey on public.feature\n"));
    CHECK(pair.target().value("select string_agg(user_id::text, ',' order by id) from feature") == "1,900");
    CHECK(pair.target().value(
              "select convalidated from pg_constraint where conname = 'feature_user_id_fkey'") == "f");

    pair.source().sql("insert into users (id, name) values (900, 'now there too')");
    const ProgramResult later = pair.run("refresh");
    INFO(later.text());
    REQUIRE(later.exit_code == 0);
    CHECK(pair.target().value(
              "select convalidated from pg_constraint where conname = 'feature_user_id_fkey'") == "t");
    CHECK(pending(pair) == "");
}

TEST_CASE("a unique key that the source's rows break waits, and its index is not left behind", "[extras]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) + R"(
        alter table orders add constraint one_order unique (user_id);
        create unique index one_total on orders ((total > 5));
        alter table orders add constraint apart exclude using gist (int4range(user_id, user_id + 1) with &&);
        insert into users (name) values ('me'); insert into orders (user_id, total) values (1, 3);)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(contains(pending(pair), "cannot constraint apart on public.orders\n"));
    CHECK(contains(pending(pair), "cannot constraint one_order on public.orders\n"));
    CHECK(contains(pending(pair), "cannot index public.one_total\n"));
    CHECK(pair.target().value("select to_regclass('apart') is null") == "t");
    CHECK(pair.target().value(
              "select to_regclass('one_order') is null and to_regclass('one_total') is null") == "t");
    CHECK(pair.target().value("select count(*) from orders") == "500");
}

TEST_CASE("a column or attribute of a type that is a column's type waits, and the rows come all the same",
          "[extras]") {
    const std::string tables = "create table t (id int primary key, p pair, many pair[], c crate);";
    Pair pair("create type pair as (a int, b text); create table crate (w int);" + tables +
                  "insert into t values (1, '(1,one)', array['(2,two)'::pair], '(7)');",
              "create type pair as (a int, b text, c text); create table crate (w int, h int);" + tables +
                  "insert into t values (2, '(1,one,more)', null, '(7,8)');");
    {
        Session old{pair.target().conninfo()}; // what COPY would do with the source's values
        CHECK_THROWS_AS(old.sql("select '(1,one)'::pair"), SqlError);
        CHECK_THROWS_AS(old.sql("select '(7)'::crate"), SqlError);
    }
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pending(pair) ==
              "cannot attribute c of composite type public.pair\ncannot column h of table public.crate\n");
        CHECK(pair.target().value("select bool_and(reason like '%is the type of a column%') from "
                                  "pgsluice.pending") == "t");
        CHECK(pair.target().value("select (p).b || (many[1]).b || (c).w from t") == "onetwo7");
    }
    pair.source().sql("alter table t drop column p, drop column many, drop column c");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pending(pair).empty());
    CHECK(pair.target().value("select ('(1,one,more)'::pair).c || ('(7,8)'::crate).h") == "more8");
}

TEST_CASE("a NOT NULL that the source's rows break stays away, and takes no other along", "[extras]") {
    Pair pair("create table t (id int primary key); insert into t select generate_series(1, 9)",
              R"(create function nobody() returns text language sql stable as 'select null::text';
        create table t (id int primary key);
        alter table t add column who text not null default nobody(), add column kind text not null default 'x';)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(contains(result.err, "remark: validation of "));
    CHECK(contains(pending(pair), "cannot validation of "));
    CHECK(pair.target().value(
              "select string_agg(attname || attnotnull, ' ' order by attnum) from pg_attribute "
              "where attrelid = 't'::regclass and attname in ('who', 'kind')") == "whofalse kindtrue");
    CHECK(pair.target().value("select count(kind) || ' ' || count(who) from t") == "9 0");
}

TEST_CASE("a check that the source's rows break is validated by the first run that can", "[extras]") {
    const std::string table = "create table t (id int primary key, n int);";
    Pair pair(table + "insert into t values (1, 1), (2, -1)",
              table + "alter table t add constraint above check (n > 0)");
    const std::string valid = "select convalidated from pg_constraint where conname = 'above'";
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(contains(pending(pair), "cannot validation of check above on public.t\n"));
        CHECK(pair.target().value(valid) == "f");
        CHECK_THROWS(pair.target().sql("insert into t values (3, -3)"));
    }
    pair.source().sql("update t set n = 2 where id = 2");
    REQUIRE(pair.run("refresh").ok());
    CHECK(pair.target().value(valid) == "t");
    CHECK(pending(pair) == "");
}

TEST_CASE("labels that only the target has come at their places", "[extras]") {
    Pair pair("create type mood as enum ('m', 'new', 'z'); create table t (id int)",
              R"(create type mood as enum ('a', 'b', 'm', 'n', 'z', 'zz', 'zzz'); create table t (id int);
        create table own (m mood); insert into own values ('a'), ('n'), ('zzz');)");
    for (int run = 0; run < 2; ++run) {
        REQUIRE(pair.run("refresh").ok());
        CHECK(pair.target().value("select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum") ==
              "a,b,m,n,new,z,zz,zzz");
        CHECK(pair.target().value("select string_agg(m::text, ',' order by m) from own") == "a,n,zzz");
    }
}

TEST_CASE("labels and attributes in another order are drift", "[extras]") {
    Pair pair(
        "create type mood as enum ('a', 'b'); create type pair as (x int, y int); create table t (id int)",
        "create type mood as enum ('b', 'a'); create type pair as (y int, x int); create table t (id int)");
    REQUIRE(pair.run("refresh").ok());
    CHECK(pending(pair) == "drift composite type public.pair\ndrift enum type public.mood\n");
}

TEST_CASE("a column that only the target has is no matter to COPY, in both formats", "[extras]") {
    Pair pair(R"(create table wide (id int primary key, t text); create table narrow (a int, b int, c int);
        insert into wide select i, (select string_agg(md5(i || '-' || k), '') from generate_series(1, 30) k)
            from generate_series(1, 2000) i;
        insert into narrow select i, i, i from generate_series(1, 10000) i; analyze;)",
              // Before the source's columns, and among them.
              "create table wide (own text default 'w', t text, id int primary key);"
              "create table narrow (a int, own int default 7, c int, b int);");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().value("select string_agg(distinct t ->> 'format', ',' order by t ->> 'format') from "
                              "pgsluice.run, jsonb_array_elements(report -> 'tables') t") == "binary,text");
    CHECK(pair.target().value("select concat_ws(' ', (select count(*) from wide where own = 'w'), (select "
                              "count(*) from narrow where own = 7 and a = b and b = c))") == "2000 10000");
}
