// What the comparison of two migration histories decides for what only one side has (rules.md section 2).
#include <boost/json.hpp>

#include "support/catch.hpp"
#include "support/migrated_service.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
namespace json = boost::json;

TEST_CASE("--drift=replay: what --keep names brings along the type that it needs", "[migrations]") {
    const Pair pair(
        first_release,
        ahead("create schema lab; create type lab.phase as enum ('a');") +
            "create table mine (id int primary key, p lab.phase); insert into mine values (1, 'a')");
    (void)run_refresh(pair, {"--keep", "public.mine"});
    REQUIRE(there(pair.target(), "mine"));
    CHECK(pair.target().value("select p from mine") == "a");
}

TEST_CASE("after --drift=replay nothing stands in the way of the migrations, and the next run decides anew",
          "[migrations]") {
    const std::string next =
        additions + rename_orders +
        "create index purchases_note on purchases (note);"
        "alter table purchases add constraint note_there check (note <> '');"
        "alter table users alter column email set default 'none';"
        "create function said() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger said before insert on notes for each row execute function said();";
    const Pair pair(first_release, ahead(next) + by_hand + "insert into notes values (1, 1, 'x')");
    // On a schema that has their objects they fail: that is why.
    CHECK_THROWS(pair.target().sql(next));
    (void)run_refresh(pair, {});
    CHECK(there(pair.target(), "orders"));
    CHECK_FALSE(there(pair.target(), "purchases"));
    pair.target().sql(next + recorded_behind); // the service's restart
    CHECK(pair.target().value("select count(*) from purchases") == "200");

    // Ahead again: the lines are there once each, and no run has tried them.
    const json::object again = run_refresh(pair, {});
    CHECK(again.at("merge").at("applied_again").as_int64() == 1);
    CHECK_FALSE(there(pair.target(), "notes"));
    CHECK_FALSE(there(pair.target(), "purchases"));
    CHECK(pending_of(pair.target(), "cannot").empty());
    const std::string waiting = pending_of(pair.target(), "migration");
    INFO(waiting);
    CHECK(waiting.find("table public.mine") != std::string::npos); // of the first run, carried over
    CHECK(pair.target().value("select count(*) from pgsluice.pending where why = 'migration' and sql = ''") ==
          "0");
    pair.target().sql(next + recorded_behind);
}

TEST_CASE("a column that a migration makes is not taken for a table of its name", "[migrations]") {
    const std::string tags = "create table tags (id int primary key); insert into tags values (1);";
    const Pair pair(first_release + tags, ahead(tags + "alter table orders add column tags text;"));
    const json::object planned = plan_of(pair);
    CHECK(json::serialize(planned.at("merge").at("staying")) == "[]");
    const json::object report = run_refresh(pair, {});
    CHECK(json::serialize(report.at("merge").at("staying")) == "[]");
    CHECK(pair.target().value("select count(*) from tags") == "1");
}

TEST_CASE("one version with two checksums: as target ahead, and with --migrate the tool decides",
          "[migrations]") {
    const std::string changed = "update flyway_schema_history set checksum = 99 where version = '1';";
    const Pair pair(first_release, first_release + changed + by_hand);
    CHECK(history_of(pair).at("standing").as_string() == "diverged");
    SECTION("without a command") {
        const json::object report = run_refresh(pair, {});
        CHECK(json::serialize(report.at("remarks")).find("another checksum on either side: 1 (init)") !=
              std::string::npos);
        CHECK_FALSE(there(pair.target(), "mine"));
        CHECK(pending_of(pair.target(), "migration").find("table public.mine") != std::string::npos);
        CHECK(pair.target().value("select checksum from flyway_schema_history where version = '1'") == "11");
        CHECK(json::serialize(report.at("merge").at("staying")) == R"(["public.mine"])");
    }
    SECTION("with one") {
        const json::object report = run_refresh(
            pair, {"--migrate",
                   "psql -X -c \"update flyway_schema_history set checksum = 99 where version = '1'\""});
        CHECK(report.at("merge").at("migrated").as_array().size() == 1);
        CHECK(there(pair.target(), "mine"));
        CHECK(pair.target().value("select checksum from flyway_schema_history where version = '1'") == "99");
    }
}

TEST_CASE("--drift=carry refuses whatever is no addition, whoever made it and whenever the swap is",
          "[migrations]") {
    SECTION("what the source has changed since the last run") {
        const std::string one = "create function one() returns int language sql as 'select 1';";
        Trial trial(first_release + one, first_release + one);
        REQUIRE(trial.refresh().ok());
        trial.source().sql("create or replace function one() returns int language sql as 'select 2'");
        trial.target().sql(additions + recorded_behind);
        trial.fails(1, {"--drift=carry needs", "function public.one()"}, {"--drift", "carry"});
    }
    SECTION("with --no-swap") {
        Trial trial(first_release, ahead(additions + rename_orders));
        trial.fails(1, {"--drift=carry needs", "table public.orders"}, {"--drift", "carry", "--no-swap"});
    }
}

TEST_CASE("a history that the source lacks is one that is ahead", "[migrations]") {
    const std::string users = "create table users (id int primary key); insert into users values (1);";
    const Pair pair(users, users + "create table alembic_version (version_num varchar(32) primary key);"
                                   "insert into alembic_version values ('aa');"
                                   "create table notes (id int primary key); insert into notes values (1);");
    CHECK(history_of(pair).at("standing").as_string() == "target ahead");
    SECTION("replay") {
        const json::object report = run_refresh(pair, {});
        CHECK(report.at("merge").at("applied_again").as_int64() == 1);
        CHECK_FALSE(there(pair.target(), "notes"));
        CHECK_FALSE(there(pair.target(), "alembic_version"));
    }
    SECTION("carry") {
        (void)run_refresh(pair, {"--drift", "carry"});
        CHECK(there(pair.target(), "notes"));
        CHECK(pair.target().value("select version_num from alembic_version") == "aa");
    }
}

TEST_CASE("source ahead: what the last run brought and the release dropped does not come back",
          "[migrations]") {
    const Pair pair(first_release + "create table old (id int);", first_release);
    (void)run_refresh(pair, {});
    pair.source().sql("drop table old;" + additions + recorded_behind);
    pair.target().sql(by_hand);
    const json::object report = run_refresh(pair, {});
    CHECK(json::serialize(report.at("notes")).find("the source is ahead") != std::string::npos);
    CHECK_FALSE(there(pair.target(), "old"));
    CHECK(there(pair.target(), "mine"));
}

TEST_CASE("a migration history is not preserved: it follows the schema", "[migrations]") {
    Trial trial(first_release, ahead(additions));
    trial.fails(1, {"flyway_schema_history"}, {"--preserve", "flyway_schema_history"});
}
