// rules.md section 6: whose the objects of the new database are, and who may do what with them.
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"

using namespace pgsluice::tests;

namespace {

DatabaseOptions owned_by(TestCluster& cluster, const std::string& owner) {
    DatabaseOptions options;
    options.owner = cluster.role(owner);
    return options;
}

// Source and target belong to different roles; one role each exists on one side only, one on both.
struct Sides : Pair {
    Sides()
        : Pair(owned_by(TestCluster::shared(), "rr_prod"), owned_by(TestCluster::shared_target(), "rr_pre")) {
        TestCluster& here = TestCluster::shared();
        TestCluster& there = TestCluster::shared_target();
        for (const char* name : {"rr_both", "rr_only_source"}) here.role(name);
        for (const char* name : {"rr_both", "rr_reader", "rr_granter", "rr_stranger"}) there.role(name);
        here.sql("grant rr_both to rr_prod");
        there.sql("grant rr_granter to rr_pre");
        source().sql(R"(
            create table shared (id int primary key, a text, b text);
            grant select on shared to rr_only_source, rr_both; grant insert on shared to public;
            grant select (a) on shared to rr_both; grant update (b) on shared to rr_only_source;
            create table fresh (id int, a text);
            grant select on fresh to rr_both with grant option; grant select on fresh to rr_only_source;
            grant update (a) on fresh to rr_both, rr_only_source;
            set role rr_both; grant select on fresh to public; reset role;
            create function f() returns int language sql as 'select 1';
            revoke all on function f() from public; grant execute on function f() to rr_only_source;
            alter default privileges grant select on tables to rr_both, rr_only_source;
            create policy for_both on shared to rr_both, rr_only_source; create policy for_nobody on shared to rr_only_source;
        )");
        source().superuser_sql(
            "grant all on schema public to rr_both; create schema other authorization rr_both;"
            "create table other.theirs (id int); alter table other.theirs owner to rr_both;"
            "grant usage on schema other to rr_prod; grant select on other.theirs to rr_prod");
    }

    // The items of an ACL, sorted: their order is the order of the GRANTs.
    std::string acl(const std::string& of) {
        return target().value("select coalesce(string_agg(i, ' ' order by i), '') from (select " + of +
                              ") q(acl), unnest(q.acl) u(a), lateral (select a::text) t(i)");
    }
    std::string table_acl(const std::string& name) {
        return acl("relacl from pg_class where oid = '" + name + "'::regclass");
    }
    std::string column_acl(const std::string& table, const std::string& column) {
        return acl("attacl from pg_attribute where attrelid = '" + table + "'::regclass and attname = '" +
                   column + "'");
    }
    std::string public_acl() { return acl("nspacl from pg_namespace where nspname = 'public'"); }
    std::string default_acl() {
        return acl("defaclacl from pg_default_acl where defaclrole = 'rr_pre'::regrole");
    }
    std::string owner_of(const std::string& name) {
        return target().value("select pg_get_userbyid(relowner) from pg_class where oid = '" + name +
                              "'::regclass");
    }
};

std::size_t times(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
}

} // namespace

TEST_CASE("shared objects keep the target's owner and grants, new ones get the source's",
          "[refresh][rights]") {
    Sides pair;
    pair.target().superuser_sql("grant all on schema public to rr_reader, rr_granter");
    pair.target().superuser_sql(
        std::string("set role rr_pre;") +
        "create table shared (id int primary key, a text, b text); grant update on shared "
        "to rr_reader; grant select (b) on shared to rr_reader; grant select on shared to "
        "rr_granter with grant option; set role rr_granter; grant select on shared to "
        "rr_reader; set role rr_pre; create function f() returns int language sql as "
        "'select 2'; grant execute on function f() to rr_reader; alter default privileges "
        "grant insert on tables to rr_reader; reset role; alter function f() owner to rr_granter");
    const std::string table = pair.table_acl("shared"), column = pair.column_acl("shared", "b"),
                      schema = pair.public_acl(), defaults = pair.default_acl();
    REQUIRE(table.find("rr_reader=r/rr_granter") != std::string::npos);
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.table_acl("shared") == table);
    CHECK(pair.column_acl("shared", "b") == column);
    CHECK(pair.column_acl("shared", "a").empty());
    CHECK(pair.public_acl() == schema);
    CHECK(pair.default_acl() == defaults);
    CHECK(
        pair.target().value("select pg_get_userbyid(proowner) || prosrc from pg_proc where proname = 'f'") ==
        "rr_granterselect 1");
    CHECK(pair.owner_of("fresh") == "rr_pre");
    // rr_both granted on the source; our role may not act for it here, so the owner grants.
    CHECK(pair.table_acl("fresh") == "=r/rr_pre rr_both=r*/rr_pre rr_pre=arwdDxt/rr_pre");
    CHECK(pair.column_acl("fresh", "a") == "rr_both=w/rr_pre");
    CHECK(pair.owner_of("other.theirs") == "rr_pre");
    CHECK(times(result.err, "role rr_only_source does not exist on the target") == 1);
    // A policy for roles that are missing is nobody's, never everybody's.
    CHECK(
        pair.target().value("select string_agg(polname || polroles::regrole[]::text, ',') from pg_policy") ==
        "for_both{rr_both}");
    CHECK(pair.run("verify").exit_code == 0);
}

TEST_CASE("--acl=source and --acl=both", "[refresh][rights]") {
    Sides pair;
    pair.target().superuser_sql(
        std::string("grant all on schema public to rr_granter; set role rr_pre;") +
        "create table shared (id int primary key, a text, b text); grant update on shared "
        "to rr_reader; grant select (b) on shared to rr_reader; create table gone (i int)");
    SECTION("source") {
        const ProgramResult result = pair.run("refresh", {"--acl", "source", "--extras", "drop"});
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        CHECK(pair.table_acl("shared") == "=a/rr_pre rr_both=r/rr_pre rr_pre=arwdDxt/rr_pre");
        CHECK(pair.column_acl("shared", "a") == "rr_both=r/rr_pre");
        CHECK(pair.column_acl("shared", "b").empty());
        CHECK(pair.default_acl() == "rr_both=r/rr_pre rr_pre=arwdDxt/rr_pre");
    }
    SECTION("both") {
        const ProgramResult result = pair.run("refresh", {"--acl", "both", "--extras", "drop"});
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        CHECK(pair.table_acl("shared") ==
              "=a/rr_pre rr_both=r/rr_pre rr_pre=arwdDxt/rr_pre rr_reader=w/rr_pre");
        CHECK(pair.column_acl("shared", "a") == "rr_both=r/rr_pre");
        CHECK(pair.column_acl("shared", "b") == "rr_reader=r/rr_pre");
    }
}

TEST_CASE("--map-role gives new objects and grants to the role it names", "[refresh][rights]") {
    Sides pair;
    const ProgramResult result =
        pair.run("refresh", {"--map-role", "rr_both=rr_granter", "--map-role", "rr_only_source=rr_reader"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.owner_of("other.theirs") == "rr_granter");
    CHECK(pair.table_acl("fresh") ==
          "=r/rr_granter rr_granter=r*/rr_pre rr_pre=arwdDxt/rr_pre rr_reader=r/rr_pre");
    CHECK(pair.column_acl("fresh", "a") == "rr_granter=w/rr_pre rr_reader=w/rr_pre");
    CHECK(times(result.err, "does not exist on the target") == 0);
}

TEST_CASE("what only a role could grant that is not ours is granted by the owner, with a note",
          "[refresh][rights]") {
    Sides pair;
    pair.target().superuser_sql(
        "set role rr_pre; create table shared (id int primary key, a text, b text); "
        "grant select on shared to rr_stranger with grant option; set role rr_stranger; "
        "grant select on shared to rr_reader");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.table_acl("shared") == "rr_pre=arwdDxt/rr_pre rr_reader=r/rr_pre rr_stranger=r*/rr_pre");
    CHECK(times(result.err, "rr_stranger") == 1);
}

TEST_CASE("an extension has the version that the target has installed", "[refresh][rights]") {
    const std::string of_source = GENERATE("create extension pg_trgm;", ""); // else it is the target's own
    Pair pair(of_source + "create table t (id int)",
              "create extension pg_trgm version '1.5'; create table t (id int)");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        CHECK(pair.target().value("select extversion from pg_extension where extname = 'pg_trgm'") == "1.5");
    }
}

TEST_CASE("an owner without CREATE on the schema gets an object there, and no right with it",
          "[refresh][rights]") {
    TestCluster& there = TestCluster::shared_target();
    for (const char* name : {"rr_both", "rr_reader"}) there.role(name);
    Pair pair(owned_by(TestCluster::shared(), "rr_prod"), owned_by(there, "rr_pre"));
    there.sql("grant rr_both to rr_pre");
    pair.source().sql("create schema sx; create table sx.t (a int); create table sx.u (a int); "
                      "create function sx.f() returns int language sql as 'select 1'");
    pair.target().sql(R"(create schema sx; create table sx.t (a int); create table sx.u (a int);
        create function sx.f() returns int language sql as 'select 1';
        create table sx.own (a int); grant create, usage on schema sx to rr_both;
        alter table sx.t owner to rr_both; alter table sx.u owner to rr_both; alter table sx.own owner to rr_both;
        alter function sx.f() owner to rr_both;
        revoke create on schema sx from rr_both;
        set role rr_both; grant select on sx.t to rr_reader, rr_pre;)");
    const std::string acl = "select array_agg(a::text order by a::text)::text from pg_namespace, "
                            "unnest(nspacl) a where nspname = 'sx'";
    const std::string before = pair.target().value(acl);
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK_FALSE(result.err.find("owner or grants could not be set") != std::string::npos);
        CHECK(pair.target().lines("select relname, pg_get_userbyid(relowner) from pg_class where relname in "
                                  "('t', 'u', 'own') order by 1") == "own|rr_both\nt|rr_both\nu|rr_both\n");
        CHECK(pair.target().value("select pg_get_userbyid(proowner) from pg_proc where proname = 'f'") ==
              "rr_both");
        CHECK(pair.target().value("select has_table_privilege('rr_reader', 'sx.t', 'select')") == "t");
        CHECK(pair.target().value("select has_schema_privilege('rr_both', 'sx', 'create')") == "f");
        CHECK(pair.target().value(acl) == before);
    }
}
