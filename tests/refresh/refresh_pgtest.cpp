// The main job end to end: stock pg_dump and the servers decide whether the copy is right.
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"

using namespace pgsluice::tests;

namespace {

constexpr const char* small_schema = R"(
create type mood as enum ('sad', 'ok');
create table users (id serial primary key, name text not null unique, feeling mood default 'ok');
create table orders (id bigint generated always as identity primary key,
    user_id int not null references users, total numeric(10, 2) check (total >= 0), placed timestamptz default now());
create index orders_user on orders (user_id);
create view spenders as select u.name, sum(o.total) as total from users u join orders o on o.user_id = u.id group by 1;
create materialized view top as select * from spenders where total > 10;
create unique index top_name on top (name);
)";

constexpr const char* small_rows = R"(
insert into users (name) select 'user ' || i from generate_series(1, 500) i;
insert into orders (user_id, total) select 1 + i % 500, i from generate_series(1, 5000) i;
refresh materialized view top;
)";

} // namespace

TEST_CASE("a refresh makes the target equal to the source and keeps the old one as previous",
          "[refresh][short]") {
    Pair pair(std::string(small_schema) + small_rows, small_schema);
    pair.target().sql("insert into users (name) values ('only in preprod')");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    expect_equal_databases(pair.source(), pair.target());
    CHECK(pair.leftovers().empty());

    SECTION("rollback brings the old one back, and is its own inverse") {
        const ProgramResult back = pair.run("rollback");
        INFO(back.text());
        REQUIRE(back.exit_code == 0);
        CHECK(pair.target().value("select string_agg(name, ',') from users") == "only in preprod");
        const ProgramResult forward = pair.run("rollback");
        INFO(forward.text());
        REQUIRE(forward.exit_code == 0);
        expect_equal_databases(pair.source(), pair.target());
    }
    SECTION("the next refresh drops the previous one and works again") {
        pair.source().sql("insert into users (name) values ('new')");
        const ProgramResult again = pair.run("refresh");
        INFO(again.text());
        REQUIRE(again.exit_code == 0);
        expect_equal_databases(pair.source(), pair.target());
        CHECK(pair.leftovers().empty());
    }
    SECTION("verify agrees, and says who differs after a change") {
        const ProgramResult same = pair.run("verify", {"--rows", "checksum"});
        INFO(same.text());
        CHECK(same.exit_code == 0);
        pair.target().sql("update users set name = 'changed' where id = 1");
        const ProgramResult differs = pair.run("verify", {"--rows", "checksum"});
        INFO(differs.text());
        CHECK(differs.exit_code == 0);
        CHECK(differs.out.find("differs") != std::string::npos);
    }
}

TEST_CASE("the report tells how long the target was away and the source was held", "[refresh]") {
    // Two seconds of rows, for pgsluice only; one second of work for which nobody needs the source.
    const std::string slow = R"(create function slowly(int) returns boolean language plpgsql as $$ begin
        if current_setting('application_name') = 'pgsluice' then perform pg_sleep(0.02); end if; return true; end $$;
        create table events (id int check (slowly(id))); insert into events select generate_series(1, 100);)";
    Pair pair(slow + "create materialized view late as select pg_sleep(1)::text as s;", slow);
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    const auto seconds = [&](const std::string& what) {
        return std::stod(pair.target().value("select report ->> '" + what + "' from pgsluice.run"));
    };
    CHECK(seconds("seconds_source_held") >= 2);
    CHECK(seconds("seconds") - seconds("seconds_source_held") >= 1);
    CHECK(seconds("seconds_away") > 0);
    CHECK(seconds("seconds_away") < 3);
    CHECK(result.err.find("source released: its snapshot was held") != std::string::npos);
    CHECK(result.err.find("swapped: the target was away") != std::string::npos);
}
