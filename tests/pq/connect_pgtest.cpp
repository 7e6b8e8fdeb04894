// Connecting: what stands in the way is named with what to do about it; poolers; passwords stay secret.
#include "pq/fixture.hpp"
#include "support/pgbouncer.hpp"
#include "support/text.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {} // namespace

TEST_CASE_METHOD(PqFixture, "failed connections: kind, SQLSTATE, hint, and no password", "[pq]") {
    ClusterOptions wanted;
    wanted.scram = true;
    wanted.settings = {"max_connections=4", "superuser_reserved_connections=1", "max_wal_senders=0"};
    wanted.hba = {"host all stranger all reject"};
    TestCluster cluster(wanted);
    const std::string app = cluster.role("app");
    cluster.role("stranger");
    const pq::Conninfo good = pq::Conninfo::parse(cluster.conninfo("postgres", app));
    const auto fails = [&](const pq::Conninfo& conninfo) {
        const Error error = error_of(pq::Connection::open(conninfo, options(pq::Side::source)));
        INFO(error.what());
        CHECK(error.kind() == ErrorKind::connection);
        CHECK_FALSE(error.hint().empty());
        CHECK(contains(error.message(), "cannot connect to the source ("));
        CHECK(error.message().find('\n') == std::string::npos);
        CHECK_FALSE(contains(error.what(), "s3cret"));
        return error;
    };
    const Error password = fails(good.with_password("wrong-s3cret"));
    CHECK(password.sqlstate() == "28P01");
    CHECK(contains(password.hint(), "--source-password-env"));
    CHECK(fails(good.with_database("missing")).sqlstate() == "3D000");
    CHECK(contains(fails(good.with("user", "stranger").with_password("stranger")).hint(), "pg_hba.conf"));
    CHECK(contains(fails(good.with("host", "no-such-host.invalid")).hint(), "host"));
    CHECK(contains(fails(good.with("port", "1")).hint(), "listen"));
    CHECK(contains(fails(good.with("sslmode", "require")).hint(), "sslmode"));
    pq::Connection first = open(cluster.conninfo("postgres", app));
    CHECK(first.conninfo().get("password") == "app");
    pq::Connection second = open(cluster.conninfo("postgres", app));
    pq::Connection third = open(cluster.conninfo("postgres", app));
    CHECK(fails(good).sqlstate() == "53300");
    CHECK_FALSE(contains(first.conninfo().display(), "password"));
}

TEST_CASE_METHOD(PqFixture, "a host that never answers is a timeout with a hint", "[pq]") {
    // TEST-NET-1: packets go nowhere, or the network is unreachable at once; both must end in time.
    const pq::Conninfo nowhere = pq::Conninfo::parse("host=192.0.2.1 dbname=x user=y connect_timeout=1");
    const auto before = std::chrono::steady_clock::now();
    const Error error = error_of(pq::Connection::open(nowhere, options()));
    CHECK(std::chrono::steady_clock::now() - before < 5s);
    CHECK(error.kind() == ErrorKind::connection);
    CHECK_FALSE(error.hint().empty());
}

TEST_CASE_METHOD(PqFixture, "a pooler in transaction mode is refused before anything is set", "[pq]") {
    const TestDatabase database;
    const Pgbouncer pooler(database.cluster(), PoolMode::transaction);
    const Error error = error_of(pq::Connection::open(
        pq::Conninfo::parse(pooler.conninfo(database.name(), database.owner())), options()));
    INFO(error.what());
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(contains(error.message(), "transaction mode"));
    CHECK_FALSE(error.hint().empty());
    CHECK(database.value(
              "select count(*) from pg_stat_activity where application_name = 'pgsluice' and datname = '" +
              database.name() + "'") == "0");
}

TEST_CASE_METHOD(PqFixture, "a pooler in session mode is noticed and allowed", "[pq]") {
    const TestDatabase database;
    const Pgbouncer pooler(database.cluster(), PoolMode::session);
    const std::string conninfo = pooler.conninfo(database.name(), database.owner());
    pq::Connection connection = open(conninfo);
    CHECK(connection.behind_pooler());
    CHECK(run(connection.value("select pg_catalog.current_setting('application_name')")) == "pgsluice");
    run(pq::refuse_transaction_pooler(connection, pq::Conninfo::parse(conninfo), options()));
}

TEST_CASE_METHOD(PqFixture, "the test with two connections finds nothing where there is no pooler", "[pq]") {
    const TestDatabase database;
    pq::Connection connection = open(database.conninfo());
    run(pq::refuse_transaction_pooler(connection, pq::Conninfo::parse(database.conninfo()), options()));
    CHECK(connection.usable());
}
