// The swap's COMMIT, and a server that goes away with its answer (rules.md section 12).
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/clients.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

TEST_CASE("a server that stays away after the swap's COMMIT: the target needs a person, exit 4",
          "[refresh][swap]") {
    TestCluster server;
    DatabaseOptions source, target;
    source.sql = ledger_sql("new", 5);
    target.sql = ledger_sql("old", 5);
    Pair pair(TestCluster::shared(), source, server, target);
    // A superuser's session holds the swap up until every later COMMIT waits for a standby that is not there.
    std::optional<Session> administrator(std::in_place, pair.target().superuser_conninfo());
    Program run{pgsluice_command(pair.arguments("refresh"))};
    for (int i = 0; i < 1200 && run.running() && !contains(run.err(), "waiting for sessions"); ++i)
        std::this_thread::sleep_for(25ms);
    REQUIRE(contains(run.err(), "waiting for sessions"));
    server.sql("alter system set synchronous_standby_names = 'nobody'");
    server.sql("select pg_reload_conf()");
    std::this_thread::sleep_for(1s);
    administrator.reset();
    const std::string waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    for (int i = 0; i < 800 && server.value(waiting) == "0"; ++i) std::this_thread::sleep_for(25ms);
    REQUIRE(server.value(waiting) != "0");

    server.halt("immediate");
    const ProgramResult result = run.wait();
    server.restart();
    server.sql("alter system reset synchronous_standby_names");
    server.sql("select pg_reload_conf()");
    INFO(result.text());
    CHECK(result.exit_code == 4);
    CHECK(contains(result.err, "its outcome is unknown"));
    CHECK(contains(result.err, "HINT: "));
    // It had happened; whoever follows the hint sees so.
    CHECK(pair.target().value("select label from ledger") == "new");
    CHECK(server.value("select count(*) from pg_database where datname = '" + pair.target().name() +
                       "_previous'") == "1");
}
