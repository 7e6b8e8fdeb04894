// What breaks in the middle of a run: full disk, cut connections, ended sessions, restarted servers. Each
// time the failure is named, the old target is intact and the new database is gone.
#include <thread>

#include "support/catch.hpp"
#include "support/proxy.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

// 26 MB that no compression shrinks below a few: more than pipe and sockets hold, so that both COPYs last.
// Rows of `events` go in slowly, but only for pgsluice.
constexpr const char* slow_rows = R"(
create function slowly(int) returns boolean language plpgsql as $$
begin
    if pg_catalog.current_setting('application_name') = 'pgsluice' then perform pg_catalog.pg_sleep(0.05); end if;
    return true;
end $$;
create table events (id int check (slowly(id)), body text);
insert into events select i, (select pg_catalog.string_agg(pg_catalog.md5((i * 2048 + j)::text), '')
    from generate_series(1, 2048) j) from generate_series(1, 400) i;
)";

DatabaseOptions with(const std::string& sql) {
    DatabaseOptions options;
    options.sql = sql;
    return options;
}

// A COPY of ours runs in that server's database (or in one made beside it) and has moved rows.
std::string copying(const TestDatabase& database) {
    return "select exists (select from pg_catalog.pg_stat_progress_copy c join pg_catalog.pg_stat_activity a "
           "on a.pid = c.pid where a.application_name = 'pgsluice' and pg_catalog.starts_with(c.datname, '" +
           database.name() + "') and c.tuples_processed > 3)";
}

const std::vector<std::string> small_memory = {"--memory", "2MB", "--jobs", "1"};

} // namespace

TEST_CASE("a full disk on the target's side: SQLSTATE 53100, and the new database goes at once",
          "[refresh][bad]") {
    TestCluster cluster;
    Trial trial(TestCluster::shared(), with(std::string(small_database) + slow_rows), cluster,
                with(small_database));
    trial.source().sql("alter table events drop constraint events_id_check");
    // A disk that takes part of a block is what PostgreSQL calls a full disk: backends started from now on
    // inherit a file size limit that is no multiple of 8 kB. A WAL segment fits below it.
    output_of(cluster.as_server_user(
        {"prlimit", "--pid", std::to_string(cluster.postmaster_pid()), "--fsize=20975616:20975616"}));
    trial.fails(1, {"53100", "events", "space"});
}

TEST_CASE("a connection is cut in the middle of a COPY", "[refresh][bad]") {
    Trial trial(std::string(small_database) + slow_rows);
    const bool source_side = GENERATE(true, false);
    INFO((source_side ? "source" : "target"));
    const TestDatabase& side = source_side ? trial.source() : trial.target();
    Proxy proxy(side.cluster());
    if (source_side)
        trial.source_conninfo = proxy.conninfo(trial.source().name(), "app");
    else
        trial.target_conninfo = proxy.conninfo(trial.target().name(), "app");
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments(small_memory)));
    REQUIRE(comes_true(trial.target(), copying(trial.target())));
    CHECK(proxy.cut() > 0);
    const ProgramResult result = run.wait();
    INFO(result.text());
    expect_failure(result, 1,
                   {std::string("lost the connection to the ") + (source_side ? "source" : "target")});
    before.check();
}

TEST_CASE("our session is ended by an administrator in the middle of a COPY", "[refresh][bad]") {
    Trial trial(std::string(small_database) + slow_rows);
    const bool source_side = GENERATE(true, false);
    INFO((source_side ? "source" : "target"));
    const TestDatabase& side = source_side ? trial.source() : trial.target();
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments(small_memory)));
    REQUIRE(comes_true(trial.target(), copying(trial.target())));
    REQUIRE(side.value("select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_progress_copy "
                       "where pg_catalog.starts_with(datname, '" +
                       side.name() + "')") == "t");
    const ProgramResult result = run.wait();
    INFO(result.text());
    expect_failure(result, 1, {"events"});
    before.check();
}

TEST_CASE("a server is restarted in the middle of a run", "[refresh][bad]") {
    const bool source_side = GENERATE(true, false);
    // Not a crash of the target: that alone moves its sequences on.
    const std::string mode = source_side ? "immediate" : "fast";
    INFO((source_side ? "source " : "target ") << mode);
    TestCluster source, target;
    Trial trial(source, with(std::string(small_database) + slow_rows), target, with(small_database));
    const Untouched before(trial.target());
    Program run(pgsluice_command(trial.arguments(small_memory)));
    REQUIRE(comes_true(trial.target(), copying(trial.target())));
    (source_side ? source : target).restart(mode);
    const ProgramResult result = run.wait();
    INFO(result.text());
    expect_failure(result, 1, {});
    before.check();
}
