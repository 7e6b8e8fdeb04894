// What breaks in the middle of a run: full disk, cut connections, ended sessions, restarted servers. Each
// time the failure is named, the old target is intact and the new database is gone.
#include <set>
#include <sstream>
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

TEST_CASE("passwords that end while rows are copied stop nothing", "[refresh][bad]") {
    ClusterOptions scram;
    scram.scram = true;
    TestCluster source(scram), target(scram);
    const bool own_rows = GENERATE(false, true);
    INFO("own rows: " << own_rows);
    const std::string own =
        own_rows ? "create table own (id int primary key); insert into own values (1);" : "";
    Trial trial(source, with(std::string(small_database) + slow_rows), target, with(small_database + own));
    trial.source().sql("delete from events where id > 100");
    ProgramOptions env;
    env.env = {{"PGSLUICE_SOURCE", trial.source_conninfo}, {"PGSLUICE_TARGET", trial.target_conninfo}};
    trial.source_conninfo = trial.target_conninfo = "";
    Program run(pgsluice_command(trial.arguments(small_memory)), env);
    REQUIRE(comes_true(trial.target(), copying(trial.target())));
    for (TestCluster* cluster : {&source, &target}) cluster->sql("alter role app password 'another one'");
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(trial.target().value("select count(*) from events") == "100");
    if (own_rows) CHECK(trial.target().value("select count(*) from own") == "1");
}

TEST_CASE("after a row above 8 MiB the next copy has new sessions, or goes on with the old ones and a note",
          "[refresh][bad]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all", "log_line_prefix=%p|%a|"};
    TestCluster cluster(logging);
    Trial trial(cluster,
                with("create function slowly(int) returns boolean language plpgsql as $$ begin "
                     "if pg_catalog.current_setting('application_name') = 'pgsluice' then perform "
                     "pg_catalog.pg_sleep(0.05); end if; "
                     "return true; end $$; create table large (id int check (slowly(id)), v text);"
                     "alter table large alter v set storage external; insert into large select i, case when "
                     "i = 1 then "
                     "repeat('x', 9 << 20) end from generate_series(1, 60) i; create table small (id int); "
                     "insert into small values (1)"),
                TestCluster::shared_target(), with(""));
    const bool refused = GENERATE(false, true);
    Program run(pgsluice_command(trial.arguments({"--jobs", "1"})));
    if (refused) {
        REQUIRE(comes_true(trial.target(), copying(trial.target())));
        cluster.sql("alter role app nologin");
    }
    const ProgramResult result = run.wait();
    if (refused) cluster.sql("alter role app login");
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(contains(result.err, "a fresh connection was refused: going on with the old one") == refused);
    std::set<std::string> pids;
    std::istringstream log{cluster.log()};
    for (std::string line; std::getline(log, line);)
        if (contains(line, "|pgsluice|") && contains(line, ": COPY "))
            pids.insert(line.substr(0, line.find('|')));
    CHECK(pids.size() == (refused ? 1 : 2));
}
