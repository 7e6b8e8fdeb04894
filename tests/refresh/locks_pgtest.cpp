// Others at work on the source or on the target: whoever is in the way is named, and whoever waits for us
// does not wait long.
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

DatabaseOptions small() {
    DatabaseOptions options;
    options.sql = small_database;
    return options;
}

// Rows that go in slowly, but only for pgsluice: the run holds its locks on the source meanwhile.
constexpr const char* slow_rows = R"(
create function slowly(int) returns boolean language plpgsql as $$
begin
    if pg_catalog.current_setting('application_name') = 'pgsluice' then perform pg_catalog.pg_sleep(0.02); end if;
    return true;
end $$;
create table events (id int check (slowly(id)));
insert into events select generate_series(1, 1500);
)";

// More tables than half of what this server can lock.
ClusterOptions few_locks() {
    ClusterOptions few;
    few.settings = {"max_locks_per_transaction=10", "max_connections=30", "max_wal_senders=0"};
    return few;
}

void make_many_tables(const TestDatabase& database) {
    database.sql("do $$begin for i in 1..200 loop execute 'create table t' || i || ' (i int)'; "
                 "if i % 20 = 0 then commit; end if; end loop; end$$");
}

std::string ours_wait(const TestDatabase& source) {
    return "select exists (select from pg_catalog.pg_stat_activity where application_name = 'pgsluice' and "
           "wait_event_type = 'Lock' and datname = '" +
           source.name() + "')";
}

} // namespace

TEST_CASE("a lock held on a source table: the lock timeout names each blocker", "[refresh][bad]") {
    Trial trial;
    Session holder(trial.source().conninfo() + " application_name=migration");
    holder.sql("begin");
    holder.sql("lock table public.orders in access exclusive mode");
    Session other(trial.source().conninfo() + " application_name=vacuum");
    other.sql("begin");
    other.sql("lock table public.users in access exclusive mode");
    trial.fails(1,
                {"somebody holds a lock on a source table", "55P03", "table public.orders", "migration",
                 std::to_string(holder.backend_pid()), "AccessExclusiveLock", "--lock-timeout", "vacuum",
                 std::to_string(other.backend_pid()), "public.users"},
                {"--lock-timeout", "1s"});
    holder.sql("rollback");
    other.sql("rollback");
    trial.succeeds();
}

TEST_CASE("DDL or TRUNCATE between the reading of the catalog and the locks stops the run",
          "[refresh][bad]") {
    const std::string change =
        GENERATE("truncate public.orders", "alter table public.orders add extra int",
                 "alter table public.orders alter note set not null", "drop table public.orders");
    INFO(change);
    Trial trial;
    const Untouched before(trial.target());
    // The target's catalog is read after the source's: there the run can be made to wait.
    Session holder(trial.target().conninfo());
    holder.sql("begin");
    holder.sql("lock table public.orders in access exclusive mode");
    Program run(pgsluice_command(trial.arguments()));
    REQUIRE(comes_true(trial.target(), ours_wait(trial.target())));
    trial.source().sql(change);
    holder.sql("rollback");
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "public.orders"));
    CHECK(contains(result.err, "HINT: "));
    before.check();
}

TEST_CASE("somebody in prod who waits for a lock of ours: the run gives way and names him",
          "[refresh][bad]") {
    // With few locks to be had, a table is locked only while it is copied, and by the lane's session.
    const bool each_table = GENERATE(false, true);
    std::optional<TestCluster> few;
    if (each_table) few.emplace(few_locks());
    DatabaseOptions source;
    source.sql = std::string(small_database) + slow_rows;
    Trial trial(each_table ? *few : TestCluster::shared(), source, TestCluster::shared_target(), small());
    if (each_table) make_many_tables(trial.source());
    const std::string table = each_table ? "events" : "orders";
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments({"--source-yield", "1s"})));
    REQUIRE(comes_true(trial.target(), "select exists (select from pg_catalog.pg_stat_progress_copy where "
                                       "tuples_processed > 10)"));
    REQUIRE(trial.source().value("select exists (select from pg_catalog.pg_locks where relation = 'public." +
                                 table + "'::regclass and mode = 'AccessShareLock')") == "t");
    int waiter = 0;
    std::string answer;
    std::thread migration([&] {
        try {
            Session session(trial.source().conninfo() + " application_name=migration");
            waiter = session.backend_pid();
            session.sql("alter table public." + table + " add extra int");
        } catch (const SqlError& error) {
            answer = error.what();
        }
    });
    const ProgramResult result = run.wait();
    migration.join();
    INFO(result.text());
    CHECK(contains(result.err, "each table is locked only while it is copied") == each_table);
    expect_failure(result, 1,
                   {"waits for a lock of this run", table, "migration", std::to_string(waiter),
                    "AccessExclusiveLock", "--source-yield"});
    CHECK(answer.empty());
    before.check();
}

TEST_CASE("the watch begins with the first lock: a run that waits for CREATE DATABASE gives way, too",
          "[refresh][bad]") {
    Trial trial;
    TestCluster& server = trial.target().cluster();
    server.sql("create database pattern template template0 is_template true");
    // Somebody in the template holds CREATE DATABASE up for the server's five seconds.
    std::optional<Session> in_template(std::in_place, server.superuser_conninfo("pattern"));
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments({"--source-yield", "500ms", "--template", "pattern"})));
    REQUIRE(comes_true(trial.target(), "select exists (select from pg_catalog.pg_stat_activity where "
                                       "query like 'create database%pattern%' and state = 'active')"));
    int waiter = 0;
    std::thread migration([&] {
        Session session(trial.source().conninfo() + " application_name=migration");
        waiter = session.backend_pid();
        session.sql("alter table public.orders add extra int");
    });
    const ProgramResult result = run.wait();
    migration.join();
    INFO(result.text());
    expect_failure(result, 1,
                   {"waits for a lock of this run", "orders", "migration", std::to_string(waiter)});
    in_template.reset();
    before.check();
    server.sql("alter database pattern is_template false");
    server.sql("drop database pattern");
}

TEST_CASE("two runs at once on one target: the second one is refused", "[refresh][bad]") {
    Trial trial;
    Session holder(trial.source().conninfo());
    holder.sql("begin");
    holder.sql("lock table public.orders in access exclusive mode");
    Program first(pgsluice_command(trial.arguments({"--lock-timeout", "60s"})));
    REQUIRE(comes_true(trial.source(), ours_wait(trial.source())));
    trial.fails(1, {"another run of pgsluice works on this target", "database " + trial.target().name(),
                    "server process"});
    holder.sql("rollback");
    const ProgramResult result = first.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    expect_equal_databases(trial.source(), trial.target());
}

TEST_CASE("more tables than half of the lock table are locked one by one, while they are copied",
          "[refresh][bad]") {
    TestCluster cluster(few_locks());
    Trial trial(cluster, small(), TestCluster::shared_target(), small());
    make_many_tables(trial.source());
    const ProgramResult result = trial.refresh();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(contains(result.err, "each table is locked only while it is copied"));
    CHECK(table_checksums(trial.source().superuser_conninfo()) ==
          table_checksums(trial.target().superuser_conninfo()));
}

TEST_CASE("a lock table that cannot hold all tables at once is never filled", "[refresh][bad]") {
    ClusterOptions few;
    few.settings = {"max_locks_per_transaction=10", "max_connections=30", "max_wal_senders=0",
                    "max_worker_processes=1", "autovacuum_max_workers=1"};
    TestCluster cluster(few);
    Trial trial(cluster, small(), TestCluster::shared_target(), small());
    trial.source().sql(
        "do $$begin for i in 1..1000 loop execute format('create table t%s (i int primary key, n serial, k "
        "text "
        "default "
        "''x'' check (k <> ''''))', i); if i % 10 = 0 then execute format('create view v%s as select * from "
        "t%1$s', i); commit; end if; end loop; end$$");
    std::string all = "orders";
    for (int i = 1; i <= 1000; ++i) all += ", t" + std::to_string(i);
    CHECK_THROWS_WITH(
        Session{trial.source().conninfo()}.sql("begin; lock table " + all + " in access share mode"),
        Catch::Contains("out of shared memory"));
    // Somebody in prod who needs a few locks himself, all the time.
    Program run(pgsluice_command(trial.arguments()));
    Session neighbour(trial.source().conninfo());
    int served = 0;
    for (; run.running(); ++served) neighbour.sql("select from v10, v20, v30, v40, users, orders");
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(served > 10);
    CHECK(table_checksums(trial.source().superuser_conninfo()) ==
          table_checksums(trial.target().superuser_conninfo()));
}

TEST_CASE("too few free connections on either side", "[refresh][bad]") {
    ClusterOptions few;
    few.settings = {"max_connections=14", "superuser_reserved_connections=2", "max_wal_senders=0"};
    TestCluster cluster(few);
    SECTION("source") {
        Trial trial(cluster, small(), TestCluster::shared_target(), small());
        trial.fails(1, {"too few free connections", "object: source", "max_connections"});
    }
    SECTION("target") {
        Trial trial(TestCluster::shared(), small(), cluster, small());
        trial.fails(1, {"too few free connections", "object: target", "max_connections"});
    }
}

TEST_CASE("a table that was changed before its own lock is not read as empty", "[refresh][bad]") {
    const std::string change =
        GENERATE("truncate public.orders", "alter table public.orders alter id type bigint");
    INFO(change);
    TestCluster cluster(few_locks());
    Trial trial(cluster, small(), TestCluster::shared_target(), small());
    make_many_tables(trial.source());
    TestCluster& server = trial.target().cluster();
    server.sql("create database slow_pattern template template0 is_template true");
    // Somebody in the template holds CREATE DATABASE up: the catalog is read by then, and no table is locked.
    std::optional<Session> in_template(std::in_place, server.superuser_conninfo("slow_pattern"));
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments({"--template", "slow_pattern"})));
    REQUIRE(comes_true(trial.target(), "select exists (select from pg_catalog.pg_stat_activity where "
                                       "query like 'create database%slow_pattern%' and state = 'active')"));
    trial.source().sql(change);
    in_template.reset();
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(contains(result.err, "each table is locked only while it is copied"));
    expect_failure(result, 1, {"public.orders"});
    before.check();
    server.sql("alter database slow_pattern is_template false");
    server.sql("drop database slow_pattern");
}

TEST_CASE("few free connections mean fewer lanes, and a note", "[refresh]") {
    ClusterOptions few;
    few.settings = {"max_connections=20", "superuser_reserved_connections=3", "max_wal_senders=0"};
    TestCluster cluster(few);
    Trial trial(cluster, small(), TestCluster::shared_target(), small());
    const ProgramResult result = trial.succeeds({"--jobs", "8"});
    CHECK(contains(result.err, "instead of 8: free connections are few"));
}
