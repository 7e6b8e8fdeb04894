// The lanes of a run while several threads are busy: rows, checksums, compression on helpers, a backend that
// dies and a stop in the middle. Under TSan these are what shows a race between loops.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

// Tables of different sizes, so that lanes end at different moments.
std::string many_tables(int rows) {
    return "do $$ begin for n in 1 .. 24 loop"
           " execute format('create table t%s (id int primary key, text text, at timestamptz)', n);"
           " execute format('insert into t%1$s select g, repeat(md5(g::text), 1 + %1$s %% 5), now()"
           " from generate_series(1, %1$s * " +
           std::to_string(rows) +
           ") g', n);"
           " execute format('create index on t%s (text)', n);"
           " end loop; end $$;";
}

// A table that the source reads out slowly: whoever wants to interfere meets it half read.
constexpr const char* slow_table =
    "create table slow (id int primary key, pad text);"
    "alter table slow alter pad set storage external;"
    "insert into slow select g, repeat('x', 2000) from generate_series(1, 60000) g;";

bool wait_until(const TestDatabase& database, const std::string& query) {
    for (int i = 0; i < 1200; ++i) {
        if (database.value(query) == "t") return true;
        std::this_thread::sleep_for(25ms);
    }
    return false;
}

std::string copying(const Pair& pair) {
    return "select count(*) > 0 from pg_stat_activity where state = 'active' and query like 'COPY %' and "
           "datname = '" +
           pair.source().name() + "'";
}

} // namespace

TEST_CASE("two lanes with little memory and checksums make equal databases", "[refresh][tsan]") {
    Pair pair(many_tables(300));
    const ProgramResult result =
        pair.run("refresh", {"--jobs", "2", "--memory", "2MiB", "--verify", "checksum"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    expect_equal_databases(pair.source(), pair.target());
    CHECK(pair.leftovers().empty());
}

TEST_CASE("a source backend that dies while two lanes copy fails the run and leaves nothing",
          "[refresh][tsan]") {
    Pair pair(many_tables(20) + slow_table, "create table old (id int)");
    Program program(pgsluice_command(pair.arguments("refresh", {"--jobs", "2", "--extras", "drop"})));
    REQUIRE(wait_until(pair.source(), copying(pair)));
    pair.source().superuser_sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'COPY %' "
        "and datname = '" +
        pair.source().name() + "'");
    const ProgramResult result = program.wait();
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(pair.target().value("select count(*) from old") == "0");
    CHECK(pair.leftovers().empty());
}

TEST_CASE("SIGTERM while two lanes copy ends the run within seconds and leaves nothing", "[refresh][tsan]") {
    Pair pair(many_tables(20) + slow_table, "create table old (id int)");
    Program program(pgsluice_command(pair.arguments("refresh", {"--jobs", "2", "--extras", "drop"})));
    REQUIRE(wait_until(pair.source(), copying(pair)));
    program.send(SIGTERM);
    const auto asked = std::chrono::steady_clock::now();
    const ProgramResult result = program.wait();
    INFO(result.text());
    CHECK(std::chrono::steady_clock::now() - asked < 20s);
    CHECK(result.exit_code == 1);
    CHECK(pair.target().value("select count(*) from old") == "0");
    CHECK(pair.leftovers().empty());
}

TEST_CASE("all index builds together get a quarter of the target's memory", "[refresh]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all"};
    TestCluster cluster(logging);
    DatabaseOptions source, target;
    source.sql = many_tables(20);
    Pair pair(TestCluster::shared(), source, cluster, target);
    const ProgramResult result = pair.run("refresh", {"--jobs", "4"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    const std::string log = cluster.log(), mark = "maintenance_work_mem = '";
    long largest = 0;
    for (std::size_t at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1))
        largest = std::max(largest, std::atol(log.c_str() + at + mark.size()));
    CHECK(largest > 0);
    CHECK(largest * 4 <= 32 * 1024);
}

TEST_CASE("--index-jobs is how many indexes are built at once", "[refresh]") {
    const std::string jobs = GENERATE("1", "3");
    INFO("--index-jobs " << jobs);
    // Indexes that take a second to build, but only for pgsluice.
    std::string sql = "create function slowly(int) returns int language plpgsql immutable as $$ begin "
                      "if pg_catalog.current_setting('application_name') = 'pgsluice' then "
                      "perform pg_catalog.pg_sleep(0.02); end if; return $1; end $$;";
    for (const char* table : {"a", "b", "c", "d"})
        sql += "create table " + std::string(table) +
               " as select generate_series(1, 50) id; create index on " + table + " (slowly(id));";
    Pair pair(sql);
    Session look{pair.target().cluster().superuser_conninfo()};
    Program run(pgsluice_command(pair.arguments("refresh", {"--jobs", "3", "--index-jobs", jobs})));
    long most = 0;
    for (; run.running(); std::this_thread::sleep_for(10ms)) {
        most = std::max(most, std::atol(look.value("select count(*) from pg_stat_activity where state = "
                                                   "'active' and query like '%CREATE INDEX%slowly%' and "
                                                   "application_name = 'pgsluice'")
                                            .c_str()));
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(most == std::stol(jobs));
}
