// The swap's COMMIT: done, but its answer does not come (rules.md sections 4 and 12).
#include <csignal>
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/clients.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

DatabaseOptions ledger(const std::string& label) {
    DatabaseOptions options;
    options.sql = ledger_sql(label, 5);
    return options;
}

// A refresh whose swap hangs in its COMMIT. A superuser's session holds the swap up until every later COMMIT
// waits for a standby that is not there.
class HangingCommit {
public:
    TestCluster server;
    Pair pair{TestCluster::shared(), ledger("new"), server, ledger("old")};

    Program& run() { return *run_; }
    std::string pid; // of the session that waits

    HangingCommit() {
        std::optional<Session> administrator(std::in_place, pair.target().superuser_conninfo());
        run_.emplace(pgsluice_command(pair.arguments("refresh", {"--verbose"})));
        for (int i = 0; i < 2400 && run_->running() && !is_held_up(); ++i) std::this_thread::sleep_for(25ms);
        REQUIRE(is_held_up());
        server.sql("alter system set synchronous_standby_names = 'nobody'");
        server.sql("select pg_reload_conf()");
        std::this_thread::sleep_for(1s);
        administrator.reset();
        const std::string waiting =
            "select coalesce(max(pid), 0) from pg_stat_activity where wait_event = 'SyncRep' "
            "and application_name = 'pgsluice'";
        pid = "0";
        for (int i = 0; i < 800 && run_->running() && pid == "0"; ++i) {
            std::this_thread::sleep_for(25ms);
            pid = server.value(waiting);
        }
        REQUIRE(pid != "0");
    }

    void let_commits_end() {
        server.sql("alter system reset synchronous_standby_names");
        server.sql("select pg_reload_conf()");
    }

    std::string previous() const { return pair.target().name() + "_previous"; }

private:
    bool is_held_up() const {
        return contains(run_->err(), "waiting for sessions that this role may not end");
    }

    std::optional<Program> run_;
};

} // namespace

TEST_CASE("a server that stays away after the swap's COMMIT: the target needs a person, exit 4",
          "[refresh][swap]") {
    HangingCommit commit;
    commit.server.halt("immediate");
    const ProgramResult result = commit.run().wait();
    commit.server.restart();
    commit.let_commits_end();
    INFO(result.text());
    CHECK(result.exit_code == 4);
    CHECK(contains(result.err, "its outcome is unknown"));
    CHECK(contains(result.err, "HINT: "));
    // It had happened; whoever follows the hint sees so.
    CHECK(commit.pair.target().value("select label from ledger") == "new");
    CHECK(commit.server.value("select count(*) from pg_database where datname = '" + commit.previous() +
                              "'") == "1");
}

TEST_CASE("at COMMIT a lost connection or a stop does not make the swap look undone", "[refresh][swap]") {
    HangingCommit commit;
    SECTION("the connection") {
        CHECK(commit.server.value("select pg_terminate_backend(" + commit.pid + ")") == "t");
    }
    SECTION("a stop") {
        commit.run().send(SIGTERM);
        std::this_thread::sleep_for(2s);
        CHECK(commit.run().running());
    }
    commit.let_commits_end();
    const ProgramResult result = commit.run().wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(commit.pair.target().value("select label from ledger") == "new");
    CHECK(commit.pair.target().value("select state from pgsluice.run") == "swapped");
    CHECK(commit.server.value("select label from ledger", commit.previous()) == "old");
    CHECK(commit.pair.leftovers().empty());
}
