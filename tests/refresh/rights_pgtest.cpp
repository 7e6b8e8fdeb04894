// Rights that are missing, on either side: named with the command that grants them, before anything is made.
#include <chrono>
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

DatabaseOptions owned_by(const std::string& owner, const std::string& sql = small_database) {
    DatabaseOptions options;
    options.owner = owner;
    options.sql = sql;
    return options;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

} // namespace

TEST_CASE("a role without CREATEDB", "[refresh][bad][short]") {
    TestCluster& cluster = TestCluster::shared_target();
    cluster.role("plain", "NOCREATEDB");
    Trial trial(TestCluster::shared(), owned_by("app"), cluster, owned_by("plain"));
    trial.fails(1, {"a right is missing", "target: CREATEDB", R"(ALTER ROLE "plain" CREATEDB;)"});
}

TEST_CASE("sessions of another role: check names the right, refresh waits for them", "[refresh][bad]") {
    TestCluster& cluster = TestCluster::shared_target();
    cluster.role("signaller");
    cluster.role("visitor");
    Pair pair(TestCluster::shared(), owned_by("app"), cluster, owned_by("signaller"));
    pair.target().superuser_sql("revoke pg_signal_backend from signaller");
    std::optional<Session> visit{std::in_place, cluster.conninfo(pair.target().name(), "visitor")};
    const ProgramResult missing = pair.run("check");
    INFO(missing.text());
    CHECK(missing.exit_code == 1);
    CHECK(contains(missing.out, "MISSING target  ending sessions of role \"visitor\" (at the swap)"));
    CHECK(contains(missing.out, "GRANT pg_signal_backend TO \"signaller\";"));
    CHECK(contains(missing.out, "1 of "));

    const ProgramResult planned = pair.run("plan");
    INFO(planned.text());
    CHECK(planned.exit_code == 0);
    CHECK(contains(planned.out, "GRANT pg_signal_backend TO \"signaller\";"));

    Program running(pgsluice_command(pair.arguments("refresh")));
    for (int i = 0; i < 1200 && running.running() && !contains(running.err(), "waiting for sessions"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
    CHECK(running.running());
    visit.reset();
    const ProgramResult waited = running.wait();
    INFO(waited.text());
    CHECK(waited.exit_code == 0);

    visit.emplace(cluster.conninfo(pair.target().name(), "visitor"));
    pair.target().superuser_sql("grant pg_signal_backend to signaller");
    const ProgramResult granted = pair.run("check");
    INFO(granted.text());
    CHECK(granted.exit_code == 0);
    CHECK(contains(granted.out, "ok      target  ending sessions of role \"visitor\""));
    CHECK(pair.run("refresh").exit_code == 0);
    CHECK_THROWS_AS(visit->value("select 1"), SqlError);
}

TEST_CASE("a role that does not own the target", "[refresh][bad]") {
    TestCluster& cluster = TestCluster::shared_target();
    cluster.role("stranger");
    Trial trial(TestCluster::shared(), owned_by("app"), cluster, owned_by("app"));
    trial.target_conninfo = cluster.conninfo(trial.target().name(), "stranger");
    trial.fails(1, {"a right is missing", "owner of database", R"(GRANT "app" TO "stranger";)"});
}

TEST_CASE("tables, sequences, schemas and rows of the source that the role may not read", "[refresh][bad]") {
    Trial trial;
    TestCluster& cluster = trial.source().cluster();
    cluster.role("reader");
    trial.source().sql("grant select on all tables in schema public to reader;"
                       "grant select on all sequences in schema public to reader");
    trial.source_conninfo = cluster.conninfo(trial.source().name(), "reader");
    SECTION("one table") {
        trial.source().sql("revoke select on orders from reader");
        trial.fails(1, {R"(source: SELECT on tables: "public"."orders")",
                        R"(GRANT SELECT ON TABLE "public"."orders" TO "reader";)"});
    }
    SECTION("columns of a table only") {
        trial.source().sql("revoke select on orders from reader; grant select (id) on orders to reader");
        trial.fails(1, {R"(SELECT on tables: "public"."orders")"});
    }
    SECTION("a sequence") {
        trial.source().sql("revoke select on sequence users_id_seq from reader");
        trial.fails(1, {R"(source: SELECT on sequences: "public"."users_id_seq")",
                        R"(GRANT SELECT ON SEQUENCE "public"."users_id_seq" TO "reader";)"});
    }
    SECTION("a schema") {
        trial.source().sql("create schema \"Hidden Room\"; create table \"Hidden Room\".t (i int);"
                           "grant select on \"Hidden Room\".t to reader");
        trial.fails(
            1, {"USAGE on schema \"Hidden Room\"", R"(GRANT USAGE ON SCHEMA "Hidden Room" TO "reader";)"});
    }
    SECTION("rows hidden by a policy") {
        trial.source().sql("alter table orders enable row level security;"
                           "create policy few on orders using (id < 10)");
        trial.fails(1, {"row level security", R"("public"."orders")", "BYPASSRLS"});
    }
    SECTION("all of it may be read") {
        const ProgramResult result = trial.refresh();
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(table_checksums(trial.source().superuser_conninfo()) ==
              table_checksums(trial.target().superuser_conninfo()));
    }
}

TEST_CASE("an extension that the target's server lacks", "[refresh][bad]") {
    Trial trial;
    trial.source().superuser_sql(
        "create extension pg_trgm; update pg_extension set extname = 'far_away' where extname = 'pg_trgm'");
    trial.fails(1, {"target: extension far_away", "install the package"});
}

TEST_CASE("an untrusted extension needs a template that an administrator prepared", "[refresh][bad]") {
    Trial trial;
    TestCluster& cluster = trial.target().cluster();
    trial.source().superuser_sql("create extension pageinspect");
    trial.fails(1, {"target: extension pageinspect", "CREATE EXTENSION", "--template"});
    cluster.sql("create database prepared template template0 is_template true");
    trial.fails(1, {"pageinspect", "in template database \"prepared\"", "CREATE EXTENSION"},
                {"--template", "prepared"});
    CHECK(trial.target().value("select to_regnamespace('pgsluice') is null") == "t"); // before it starts
    cluster.sql("alter database prepared is_template false");
    cluster.sql("create extension pageinspect", "prepared");
    trial.fails(1, {R"(template database "prepared")", "IS_TEMPLATE"}, {"--template", "prepared"});
    cluster.sql("alter database prepared is_template true");
    trial.succeeds({"--template", "prepared"});
    trial.fails(1, {R"(template database "missing")", "psql -l"}, {"--template", "missing"});
    cluster.sql("alter database prepared is_template false");
    cluster.sql("drop database prepared");
}

TEST_CASE("roles that the target lacks are one note each", "[refresh][bad]") {
    Trial trial;
    trial.source().cluster().role("only_in_prod");
    trial.source().sql("grant select on users, orders to only_in_prod;"
                       "create table third (i int); grant all on third to only_in_prod");
    const ProgramResult result = trial.refresh({"--acl", "source"});
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(count_of(result.err, "only_in_prod") == 1);
    CHECK(contains(result.err, "note"));
}

TEST_CASE("a grant that cannot be given is a remark with its SQL, and --strict says 3", "[refresh][bad]") {
    Trial trial;
    TestCluster& source = trial.source().cluster();
    TestCluster& target = trial.target().cluster();
    for (TestCluster* cluster : {&source, &target}) {
        cluster->role("grantor");
        cluster->role("grantee");
    }
    // On the target app is no member of grantor, and may not hand anything to it.
    trial.source().sql("create table fresh (i int); grant select on fresh to grantee");
    const ProgramResult result = trial.refresh({"--strict", "--map-role", "app=grantor"});
    INFO(result.text());
    CHECK(result.exit_code == 3);
    CHECK(contains(result.err, "remark"));
    CHECK(contains(result.err, "fresh"));
    CHECK(table_checksums(trial.source().superuser_conninfo()) ==
          table_checksums(trial.target().superuser_conninfo()));
}

TEST_CASE("check needs no mark, writes nothing and says who is where", "[refresh]") {
    Pair pair(owned_by("app"), owned_by("app"));
    Untouched before(pair.target());
    const ProgramResult result = pair.run("check"); // Pair gives check no --allow-target
    INFO(result.text());
    CHECK(result.exit_code == 0);
    for (const TestDatabase* side : {&pair.source(), &pair.target()})
        CHECK(contains(result.out,
                       "database " + side->name() + " on 127.0.0.1:" + side->cluster().port() + " as app"));
    CHECK(contains(result.out, "PostgreSQL " + pair.source().value("show server_version")));
    CHECK(contains(result.out, "not encrypted"));
    CHECK(contains(result.out, "Nothing is missing."));
    before.check();
    CHECK(pair.target().value("select to_regnamespace('pgsluice') is null") == "t");
}

TEST_CASE("a routine that only a superuser may make: a remark where nothing needs it, else no start",
          "[refresh][bad]") {
    Trial trial;
    TestDatabase& source = trial.source();
    SECTION("nothing needs it") {
        const auto [made, why] = GENERATE(table<const char*, const char*>(
            {{"create function public.quiet(int) returns boolean language sql immutable leakproof as 'select "
              "$1 > "
              "0'",
              "LEAKPROOF"},
             {"create function public.quiet(int) returns int language internal immutable strict as 'int4um'",
              "language internal"},
             {"create function public.quiet(int) returns boolean language sql set log_statement = 'none' as "
              "'select true'",
              "SET log_statement"},
             {"create function public.quiet(int) returns boolean language sql set my.name = 'x' as 'select "
              "true'",
              "SET my.name"}}));
        source.superuser_sql(std::string(made) + "; alter function public.quiet(int) owner to app");
        const ProgramResult planned = run_program(
            pgsluice_command({"plan", "--source", trial.source_conninfo, "--target", trial.target_conninfo}));
        INFO(planned.text());
        CHECK(contains(planned.out, "function public.quiet"));
        const ProgramResult result = trial.refresh({"--verbose"});
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "remark: function public.quiet"));
        CHECK(contains(result.err, std::string("only a superuser may create it: ") + why));
        CHECK(contains(result.err, "CREATE FUNCTION \"public\".\"quiet\""));
        CHECK(trial.target().value("select count(*) from orders") == "1000");
        CHECK(trial.target().value("select to_regprocedure('quiet(int)') is null") == "t");
        const ProgramResult verified = run_program(pgsluice_command(
            {"verify", "--source", trial.source_conninfo, "--target", trial.target_conninfo}));
        INFO(verified.text());
        CHECK(verified.exit_code == 0);
    }
    SECTION("another routine needs it: that one is left out, too") {
        source.superuser_sql(
            "create function public.quiet(int) returns boolean language sql immutable leakproof as 'select "
            "$1 > 0';"
            "create function public.caller() returns boolean language sql return public.quiet(1)");
        const ProgramResult result = trial.refresh();
        INFO(result.text());
        CHECK(result.exit_code == 0);
        CHECK(contains(result.err, "remark: function public.caller"));
        CHECK(contains(result.err, "it needs function public.quiet"));
    }
    SECTION("something else needs it") {
        source.superuser_sql(
            "create function public.quiet(int) returns boolean language sql immutable leakproof "
            "as 'select $1 > 0'; alter function public.quiet(int) owner to app");
        const std::string need = GENERATE("alter table orders add check (public.quiet(id))",
                                          "create view small as select * from orders where public.quiet(id)");
        source.sql(need);
        trial.fails(1, {"function public.quiet", "only a superuser may (LEAKPROOF)"});
        CHECK(trial.target().value("select to_regnamespace('pgsluice') is null") == "t"); // before it starts
    }
    SECTION("a setting that the role may set") {
        source.superuser_sql(
            "create function public.quiet(int) returns boolean language sql set log_statement = "
            "'none' set work_mem = '5MB' as 'select true'; alter function public.quiet(int) owner "
            "to app");
        trial.target().cluster().sql("grant set on parameter log_statement to app");
        trial.succeeds();
        trial.target().cluster().sql("revoke set on parameter log_statement from app");
    }
}

TEST_CASE("an extension in a version that the target's server cannot make any more", "[refresh][bad]") {
    Trial trial;
    trial.source().superuser_sql("create extension pg_trgm");
    trial.target().superuser_sql(
        "create extension pg_trgm; update pg_extension set extversion = '0.1' where extname = 'pg_trgm'");
    trial.fails(1, {"target: extension pg_trgm in the target's version 0.1",
                    R"(ALTER EXTENSION "pg_trgm" UPDATE; in the target)"});
}
