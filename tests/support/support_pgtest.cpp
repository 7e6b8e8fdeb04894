// The tests' own tools: an oracle that cannot see a difference, or a fixture that is no plain owner,
// would make every other server test worthless.
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/oracle.hpp"
#include "support/pgbouncer.hpp"
#include "support/program.hpp"
#include "support/session.hpp"

#include <csignal>
#include <filesystem>
#include <thread>

using namespace pgsluice::tests;

TEST_CASE("a program's output, exit code, input and limits are seen", "[support]") {
    ProgramOptions options;
    options.input = "hello";
    options.env = {{"COLOUR", "red"}};
    const ProgramResult result = run_program({"bash", "-c", "cat; echo $COLOUR >&2; exit 3"}, options);
    CHECK(result.exit_code == 3);
    CHECK(result.out == "hello");
    CHECK(result.err == "red\n");
    CHECK(result.peak_rss_kib > 500);
    CHECK(run_program({"/no/such/program"}).exit_code == 127);
    ProgramOptions hasty;
    hasty.timeout = std::chrono::milliseconds(50);
    CHECK(run_program({"sleep", "10"}, hasty).timed_out);
    Program sleeper{{"sleep", "10"}};
    CHECK(sleeper.running());
    sleeper.send(SIGTERM);
    CHECK(sleeper.wait().signal == SIGTERM);
}

TEST_CASE("a test database belongs to an owner who is no superuser", "[support]") {
    const TestDatabase database;
    database.sql("create table t (id int primary key); copy t from stdin;\n1\n2\n\\.\n");
    CHECK(database.value("select count(*) from t") == "2");
    Session owner{database.conninfo()};
    CHECK(owner.value("select rolsuper::text || rolcreatedb from pg_roles where rolname = current_user") ==
          "falsetrue");
    CHECK_THROWS(database.sql("select * from pg_authid"));
    try {
        owner.sql("select 1/0");
        FAIL("no error");
    } catch (const SqlError& error) {
        CHECK(error.sqlstate == "22012");
    }
}

TEST_CASE("own clusters ask for passwords, restart, and leave nothing", "[support]") {
    std::string directory;
    {
        ClusterOptions options;
        options.scram = true;
        options.settings = {"cluster_name=it's mine"};
        TestCluster cluster{options};
        directory = cluster.directory();
        CHECK(cluster.value("show cluster_name") == "it's mine");
        const std::string role = cluster.role("some'body");
        CHECK_NOTHROW(Session{cluster.conninfo("postgres", role)});
        CHECK_THROWS(Session{"host=127.0.0.1 port=" + cluster.port() + " dbname=postgres user=postgres"});
        const int before = cluster.postmaster_pid();
        cluster.restart("immediate");
        CHECK(cluster.postmaster_pid() != before);
        CHECK(cluster.value("select 1") == "1");
        CHECK(cluster.log().find("database system is ready") != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("a cluster is removed when its owner is killed", "[support]") {
    Program owner{{"bash", "-c", PGSLUICE_SOURCE_DIR "/cmake/throwaway start --owner-pid $$; sleep 100"}};
    std::string facts;
    for (int wait = 0; wait < 600 && facts.find("PASSWORD=") == std::string::npos; ++wait) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        facts = owner.out();
    }
    const std::size_t from = facts.find("DIR=") + 4;
    const std::string directory = facts.substr(from, facts.find('\n', from) - from);
    REQUIRE(std::filesystem::exists(directory));
    owner.send(SIGKILL);
    owner.wait();
    for (int wait = 0; wait < 300 && std::filesystem::exists(directory); ++wait)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("the oracle sees every difference and no order", "[support]") {
    const std::string common = "create table a (id int, t text); create table b (id int primary key);"
                               "create function f() returns int language sql as 'select 1';"
                               "grant select on a to public; create sequence s;";
    const TestDatabase left, right;
    left.sql(common + "insert into a values (1, 'x'), (2, E'a\\nb'); insert into b values (1);");
    right.sql(common + "insert into a values (2, E'a\\nb'), (1, 'x'); insert into b values (1);"
                       "create schema pgsluice; create table pgsluice.run (id int);");
    expect_equal_databases(left, right);

    const auto differs_after = [&](const std::string& change) {
        right.sql(change);
        return !first_difference(stock_dump(left.conninfo()), stock_dump(right.conninfo())).empty();
    };
    CHECK(differs_after("insert into a values (1, 'x')"));
    CHECK(table_checksums(left.conninfo()) != table_checksums(right.conninfo()));
    right.sql("truncate a; insert into a values (1, 'x'), (2, E'a\\nb')");
    expect_equal_databases(left, right);
    CHECK(differs_after("select nextval('s')"));
    left.sql("select nextval('s')");
    CHECK(differs_after("comment on column a.t is 'x'"));
    right.sql("comment on column a.t is null");
    CHECK(differs_after("revoke select on a from public"));
    right.sql("grant select on a to public");
    CHECK(differs_after("create or replace function f() returns int language sql as 'select 2'"));
}

TEST_CASE("database properties are compared where pg_dump is silent", "[support]") {
    const TestDatabase left, right;
    const auto properties = [](const TestDatabase& database) {
        return database_properties(database.cluster(), database.name());
    };
    CHECK(properties(left) == properties(right));
    right.sql("alter database " + right.name() + " set work_mem = '7MB'");
    CHECK(properties(left) != properties(right));
}

TEST_CASE("pgbouncer stands in front of a test cluster", "[support]") {
    const TestDatabase database;
    TestCluster& cluster = database.cluster();
    const Pgbouncer sessions{cluster, PoolMode::session}, transactions{cluster, PoolMode::transaction};
    Session plain{database.conninfo()};
    CHECK(plain.value("select pg_backend_pid()") == std::to_string(plain.backend_pid()));
    for (const Pgbouncer* pool : {&sessions, &transactions}) {
        Session pooled{pool->conninfo(database.name(), database.owner())};
        CHECK(pooled.value("select pg_backend_pid()") != std::to_string(pooled.backend_pid()));
    }
}
