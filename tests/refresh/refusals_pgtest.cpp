// What refresh refuses by its rules: the wrong database on either end, objects that it cannot carry, options
// that make no sense; all of it before the first write.
#include <filesystem>

#include "support/catch.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("usage errors are exit 2, with a hint", "[refresh][bad][short]") {
    Trial trial;
    trial.fails(2, {"--memory"}, {"--memory", "100kB"});
    trial.fails(2, {"--memory"}, {"--memory", "3MB", "--jobs", "8"});
    trial.fails(2, {"--memory"}, {"--memory", "much"});
    trial.fails(2, {"--jobs"}, {"--jobs", "0"});
    trial.fails(2, {"--extras"}, {"--extras", "maybe"});
    trial.fails(2, {"--drift"}, {"--drift", "maybe"});
    trial.fails(2, {"--lock-timeout"}, {"--lock-timeout", "0"});
    trial.fails(2, {"--no-such-option"}, {"--no-such-option"});
    trial.fails(2, {"NO_SUCH_VARIABLE"}, {"--target-password-env", "NO_SUCH_VARIABLE"});
    const std::string good = trial.source_conninfo;
    trial.source_conninfo = "";
    trial.fails(2, {"--source", "PGSLUICE_SOURCE"});
    trial.source_conninfo = "host=x dbname='unfinished";
    trial.fails(2, {"cannot read the connection string"});
    trial.source_conninfo = good + " password=s3cret";
    const ProgramResult in_argv = trial.fails(2, {"--source-password-env"});
    CHECK_FALSE(contains(in_argv.err, "s3cret"));
}

TEST_CASE("a report that cannot be written stops the run before the first write", "[refresh][bad]") {
    Trial trial;
    trial.fails(2, {"/no/such/folder/report.json"}, {"--report", "/no/such/folder/report.json"});
}

TEST_CASE("an empty source, and one with far less than the target", "[refresh][bad]") {
    {
        Trial trial("");
        trial.fails(1, {"the source has no user tables", "--source-is-right"});
    }
    {
        Trial trial("create table users (id int)",
                    std::string(small_database) + "create table a (i int); create table b (i int)");
        trial.fails(1, {"less than half of the target's tables", "--source-is-right"});
    }
    Trial trial("create table users (id int); insert into users values (1); analyze",
                "create table users (id int); insert into users select generate_series(1, 100); analyze");
    trial.fails(1, {"less than half of the target's rows", "--source-is-right"});
    trial.succeeds({"--source-is-right"});
}

TEST_CASE("source and target the same database", "[refresh][bad]") {
    Trial trial;
    trial.source_conninfo = trial.target_conninfo;
    trial.fails(1, {"source and target are the same database"});
    // By another road to the same place.
    trial.source_conninfo = "host=" + trial.target().cluster().socket_directory() +
                            " port=" + trial.target().cluster().port() + " dbname=" + trial.target().name() +
                            " user=app";
    trial.fails(1, {"source and target are the same database"});
}

TEST_CASE("a target without mark, and source and target exchanged", "[refresh][bad]") {
    Trial trial;
    const std::string source = trial.source_conninfo, target = trial.target_conninfo;
    trial.allow_target = "127.0.0.1/another";
    trial.fails(1, {"--allow-target names another database", trial.allowed()});
    trial.allow_target = "";
    trial.fails(1, {"mark", "allow-target", trial.target().name()});
    const ProgramResult marked = run_program(pgsluice_command(
        {"allow-target", "--source", source, "--target", target, "--yes", trial.target().name()}));
    INFO(marked.text());
    REQUIRE(marked.exit_code == 0);

    // Exchanged: the source must not even see a write.
    const Untouched target_before(trial.target()), source_before(trial.source());
    trial.source_conninfo = target;
    trial.target_conninfo = source;
    const ProgramResult exchanged = trial.refresh();
    INFO(exchanged.text());
    expect_failure(exchanged, 1, {"mark", trial.source().name()});
    target_before.check();
    source_before.check();
    CHECK(trial.source().value("select count(*) from pg_namespace where nspname = 'pgsluice'") == "0");

    trial.source_conninfo = source;
    trial.target_conninfo = target;
    trial.succeeds(); // the mark is enough, and comes along
    trial.succeeds();
    const TestDatabase other(trial.source().cluster());
    other.sql(small_database);
    trial.source_conninfo = other.conninfo();
    trial.fails(1, {"allows another source", trial.source().name()});
}

TEST_CASE("kinds that cannot be carried stop the run by name, wires are left out", "[refresh][bad]") {
    Trial trial;
    const auto expect_no_secret = [&] { // schema pgsluice with the run's report is in it, too
        const std::string whole = output_of({"pg_dump", "-d", trial.target().superuser_conninfo()});
        CHECK(contains(whole, "CREATE TABLE pgsluice.run"));
        CHECK_FALSE(contains(whole, "deep.prod.example"));
        CHECK_FALSE(contains(whole, "hush"));
    };
    SECTION("on the source") {
        trial.source().sql("create text search configuration \"My Search\" (copy = simple)");
        trial.source().superuser_sql("create operator public.=== (function = pg_catalog.int4eq, leftarg = "
                                     "int, rightarg = int)");
        trial.fails(1, {"the source has 2 objects that this version cannot carry",
                        "text search configuration public.My Search", "operator public.==="});
    }
    SECTION("on the target, unless it may go") {
        trial.target().sql("create text search configuration mine (copy = simple)");
        trial.fails(1, {"the target has 1 objects", "text search configuration public.mine"},
                    {"--extras", "fail"});
        trial.succeeds({"--extras", "drop"});
    }
    SECTION("on the target, where it waits for somebody who writes its SQL") {
        trial.target().sql("create text search configuration mine (copy = simple)");
        trial.succeeds();
        CHECK(trial.target().value("select object from pgsluice.pending") ==
              "text search configuration public.mine");
    }
    SECTION("wires") {
        trial.source().superuser_sql(
            "create function public.watch() returns event_trigger language plpgsql as 'begin end';"
            "create event trigger \"Watcher\" on ddl_command_end execute function public.watch();"
            "alter function public.watch() owner to app");
        const ProgramResult result = trial.refresh();
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "event trigger Watcher"));
        CHECK(contains(result.err, "left out"));
        CHECK(trial.target().value("select count(*) from pg_event_trigger") == "0");
    }
    SECTION("wires of the target") {
        trial.target().superuser_sql(
            "create function public.watch() returns event_trigger language plpgsql as 'begin end';"
            "create event trigger \"Own Watcher\" on ddl_command_end execute function public.watch();"
            "alter function public.watch() owner to app");
        const ProgramResult result = trial.refresh({"--strict"});
        INFO(result.text());
        CHECK(result.exit_code == 3);
        CHECK(contains(result.err, "remark: event trigger Own Watcher"));
        CHECK(contains(result.err, "not carried"));
    }
    SECTION("a subscription: neither it nor what it knows of another server") {
        trial.source().superuser_sql("create subscription \"My Feed\" connection 'host=deep.prod.example "
                                     "password=hush' publication p with (connect = false)");
        const ProgramResult result = trial.refresh({"--verbose"});
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "subscription My Feed"));
        CHECK(contains(result.err, "left out"));
        CHECK(trial.target().value("select count(*) from pg_subscription") == "0");
        CHECK_FALSE(contains(result.err, "deep.prod.example"));
        expect_no_secret();
        trial.fails(1, {"cannot carry", "subscription My Feed"}, {"--with", "subscription"});
        trial.fails(1, {"cannot carry", "subscription My Feed"}, {"--with", "all"});
        // Such a database cannot be dropped.
        trial.source().superuser_sql(
            "alter subscription \"My Feed\" disable; alter subscription \"My Feed\" set "
            "(slot_name = none); drop subscription \"My Feed\"");
    }
    SECTION("a user mapping: its server comes with an extension, the password stays") {
        trial.source().superuser_sql(
            "create extension pg_trgm; create foreign data wrapper wrapper; "
            "create server far foreign data wrapper wrapper options (host 'deep.prod.example'); "
            "alter extension pg_trgm add foreign data wrapper wrapper; "
            "alter extension pg_trgm add server far; "
            "create user mapping for app server far options (password 'hush')");
        const ProgramResult result = trial.refresh({"--verbose"});
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "user mapping app on far"));
        CHECK(contains(result.err, "left out"));
        CHECK(trial.target().value("select count(*) from pg_user_mapping") == "0");
        CHECK_FALSE(contains(result.err, "hush"));
        expect_no_secret();
        trial.fails(1, {"cannot carry", "user mapping app on far"}, {"--with", "user-mapping"});
    }
    SECTION("changed grants of an extension's member are a note") {
        trial.source().superuser_sql("create extension pg_trgm; revoke execute on function "
                                     "similarity(text, text) from public");
        const ProgramResult result = trial.refresh();
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "similarity(text,text)"));
    }
}

TEST_CASE("a database name of 60 bytes, cut for what is derived from it", "[refresh][bad]") {
    DatabaseOptions source, target;
    source.sql = target.sql = small_database;
    target.name = std::string(52, 'n') + "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"; // 60 bytes, the last 8 in UTF-8
    Trial trial(TestCluster::shared(), source, TestCluster::shared_target(), target);
    trial.succeeds();
    const std::string like = "select count(*) from pg_database where datname like 'nnnnnnnn%'";
    CHECK(trial.target().value(like) == "2");
    trial.succeeds(); // the previous one is found and dropped under its cut name
    CHECK(trial.target().value(like) == "2");
    const ProgramResult back = run_program(
        pgsluice_command({"rollback", "--target", trial.target_conninfo, "--allow-target", trial.allowed()}));
    INFO(back.text());
    CHECK(back.exit_code == 0);
    CHECK(trial.target().value(like) == "2");
    const ProgramResult cleanup = run_program(
        pgsluice_command({"cleanup", "--target", trial.target_conninfo, "--allow-target", trial.allowed()}));
    INFO(cleanup.text());
    CHECK(cleanup.exit_code == 0);
    CHECK(trial.target().value(like) == "1");
}

TEST_CASE("tables that were never analyzed are compared by their bytes", "[refresh][bad]") {
    Trial trial(
        "create table t (id int, pad text); insert into t select i, 'x' from generate_series(1, 10) i",
        "create table t (id int, pad text); insert into t select i, repeat('x', 500) from generate_series(1, "
        "4000) i");
    REQUIRE(trial.target().value("select reltuples from pg_class where relname = 't'") == "-1");
    trial.fails(1, {"less than half of the target's rows", "--source-is-right"});
    trial.succeeds({"--source-is-right"});
}

TEST_CASE("every object that cannot be carried is named, however many", "[refresh][bad]") {
    Trial trial;
    std::vector<std::string> words = {"the source has 30 objects that this version cannot carry"};
    for (int i = 10; i < 40; ++i) {
        trial.source().sql("create text search configuration odd_" + std::to_string(i) + " (copy = simple)");
        words.push_back("public.odd_" + std::to_string(i));
    }
    trial.fails(1, words);
}
