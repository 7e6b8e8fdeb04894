// The swap under load, and what may stand in its way (rules.md section 4).
#include <algorithm>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "support/clients.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/text.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

// What a client may feel of one swap.
void expect_smooth(const std::vector<Seen>& clients, const std::string& label, const char* what) {
    double longest = 0;
    for (const Seen& seen : clients) {
        std::string wrong;
        for (const std::string& text : seen.wrong) wrong += text + "\n";
        INFO(what << ": " << wrong);
        CHECK(seen.wrong.empty());
        CHECK(seen.ended <= 1);
        CHECK(seen.unknown <= 1);
        CHECK(seen.away < 3);
        CHECK(seen.labels.size() <= 2);
        REQUIRE(!seen.labels.empty());
        CHECK(seen.labels.back() == label);
        longest = std::max(longest, seen.away);
    }
    WARN(what << " under load: no client was away for more than " << longest << " s");
}

std::string connection_rights(const TestDatabase& database) {
    return database.value("select datallowconn || ' ' || datconnlimit from pg_database where datname = "
                          "current_database()");
}

} // namespace

TEST_CASE("three clients write and read through refresh, rollback and forward, and see whole databases only",
          "[refresh][swap][alone]") {
    Pair pair(ledger_sql("new", 500), ledger_sql("old", 300));
    const std::string rights = connection_rights(pair.target());
    Clients clients(pair.target().conninfo(), 3);
    for (const Seen& seen : clients.take()) REQUIRE(seen.labels == std::vector<std::string>{"old"});
    const std::vector<std::pair<std::string, std::string>> swaps = {
        {"refresh", "new"}, {"rollback", "old"}, {"rollback", "new"}, {"refresh", "new"}};
    for (const auto& [command, label] : swaps) {
        const ProgramResult result = pair.run(command);
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        expect_smooth(clients.take(), label, command.c_str());
        CHECK(connection_rights(pair.target()) == rights);
        CHECK(pair.leftovers().empty());
    }
}

TEST_CASE("sessions that the role may end do not hold up a swap", "[refresh][swap]") {
    Pair pair(ledger_sql("new", 50), ledger_sql("old", 30));
    Session idle{pair.target().conninfo()};
    idle.sql("begin");
    idle.sql("update ledger set label = 'lost'");
    REQUIRE(pair.run("refresh").exit_code == 0);
    CHECK_THROWS_AS(idle.sql("commit"), SqlError);
    CHECK(pair.target().value("select label from ledger") == "new");

    // Somebody looks into the previous database, and comes back each time.
    const std::string previous = pair.target().name() + "_previous";
    Session open{pair.target().cluster().conninfo(previous, "app")};
    Clients stubborn(pair.target().cluster().conninfo(previous, "app"), 2);
    for (const Seen& seen : stubborn.take()) REQUIRE(seen.labels == std::vector<std::string>{"old"});
    for (const std::string label : {"old", "new"}) {
        const ProgramResult back = pair.run("rollback");
        INFO(back.text());
        REQUIRE(back.exit_code == 0);
        CHECK(pair.target().value("select label from ledger") == label);
    }
    // The stubborn clients have written into both: the guard would see a source with far fewer rows.
    const ProgramResult again = pair.run("refresh", {"--source-is-right"});
    INFO(again.text());
    CHECK(again.exit_code == 0);
    CHECK(pair.leftovers().empty());
}

TEST_CASE("a session that may not be ended is named, and nobody loses anything", "[refresh][swap]") {
    Pair pair(ledger_sql("new", 50), ledger_sql("old", 30));
    Session administrator{pair.target().superuser_conninfo()};
    Session application{pair.target().conninfo()};
    const ProgramResult refused = pair.run("refresh");
    INFO(refused.text());
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, std::to_string(administrator.backend_pid()) + " (postgres"));
    CHECK(application.value("select label from ledger") == "old"); // was not ended for nothing
    CHECK(pair.leftovers().empty());
    CHECK(!pair.target().rows("select from pg_database where datname = current_database()").empty());
}

TEST_CASE("what belongs to the database's name survives the swap", "[refresh][swap]") {
    Pair pair(ledger_sql("new", 5), ledger_sql("old", 5));
    TestCluster& server = pair.target().cluster();
    const std::string name = pair.target().name(), comment = "it's preprod: \\ \"quoted\"";
    server.role("reader", "");
    Session superuser{server.superuser_conninfo()};
    superuser.sql("alter database " + name + " set search_path = public, \"$user\", \"odd, name\"");
    superuser.sql("alter database " + name + " set work_mem = '7MB'");
    superuser.sql("alter database " + name + " set timezone = 'Europe/London'");
    superuser.sql("alter role app in database " + name + " set statement_timeout = '90s'");
    superuser.sql("alter database " + name + " connection limit 40");
    superuser.sql("revoke all on database " + name + " from public");
    superuser.sql("grant connect, temporary on database " + name + " to reader with grant option");
    superuser.sql("comment on database " + name + " is " + superuser.literal(comment));
    const std::string before = database_properties(server, name);
    for (const char* command : {"refresh", "refresh", "rollback"}) {
        const ProgramResult result = pair.run(command);
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        CHECK(database_properties(server, name) == before);
        CHECK(database_properties(server, name + "_previous") == before);
    }
}

TEST_CASE("a database bound to something refuses by name, in plan and in refresh", "[refresh][swap]") {
    ClusterOptions options;
    options.settings = {"max_prepared_transactions=5", "wal_level=logical"};
    TestCluster server{options};
    DatabaseOptions target;
    target.sql = ledger_sql("old", 5);
    DatabaseOptions source;
    source.sql = ledger_sql("new", 5);
    Pair pair(TestCluster::shared(), source, server, target);
    const auto expect_refused = [&](const std::string& what) {
        for (const char* command : {"refresh", "plan"}) {
            const ProgramResult result = pair.run(command);
            INFO(result.text());
            CHECK(result.exit_code == (std::string(command) == "refresh" ? 1 : result.exit_code));
            CHECK(contains(result.out + result.err, what));
        }
        CHECK(pair.target().value("select to_regnamespace('pgsluice') is null") == "t");
    };
    pair.target().sql("begin; update ledger set entries = entries; prepare transaction 'in doubt'");
    expect_refused("prepared transaction in doubt");
    pair.target().sql("rollback prepared 'in doubt'");

    server.value("select 1 from pg_create_logical_replication_slot('reader_slot', 'test_decoding')",
                 pair.target().name());
    {
        Program reader{{"pg_recvlogical", "-d", pair.target().superuser_conninfo(), "-S", "reader_slot",
                        "--start", "-f", "/dev/null"}};
        const std::string active = "select count(*) from pg_replication_slots where active";
        for (int i = 0; i < 200 && server.value(active) == "0"; ++i) std::this_thread::sleep_for(50ms);
        expect_refused("replication slot reader_slot");
    }
    server.sql("select pg_drop_replication_slot('reader_slot')", pair.target().name());

    pair.target().superuser_sql("create subscription feed connection 'host=nowhere' publication p "
                                "with (connect = false, slot_name = none)");
    expect_refused("subscription feed");
    pair.target().superuser_sql("drop subscription feed");

    // One that comes when the check has passed: the swap is tried again until it has gone.
    Session blocker{pair.source().conninfo()};
    blocker.sql("begin");
    blocker.sql("lock table ledger in access exclusive mode");
    Program late{pgsluice_command(pair.arguments("refresh", {"--verbose", "--lock-timeout", "60s"}))};
    const auto wait_for = [&](const std::string& text) {
        for (int i = 0; i < 1200 && late.running() && !contains(late.err(), text); ++i)
            std::this_thread::sleep_for(25ms);
    };
    wait_for("locking the source's tables");
    pair.target().sql("begin; update ledger set entries = entries; prepare transaction 'late'");
    blocker.sql("rollback");
    wait_for(" swapping");
    std::this_thread::sleep_for(6s); // the server gives a rename 5 s
    const auto rolled_back_by_owner = [&] {
        try { // the next attempt may end this session, too
            Session application{pair.target().conninfo()};
            CHECK(application.value("select label from ledger") ==
                  "old"); // between attempts all is as before
            application.sql("rollback prepared 'late'");
            return true;
        } catch (const SqlError&) {
            return false;
        }
    };
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
        gone = rolled_back_by_owner();
        std::this_thread::sleep_for(100ms);
    }
    CHECK(gone);
    const ProgramResult result = late.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(pair.target().value("select label from ledger") == "new");
}

TEST_CASE("the swap is one transaction in another database, and touches names only", "[refresh][swap]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all", "log_line_prefix=%d "};
    TestCluster server{logging};
    DatabaseOptions source, target;
    source.sql = ledger_sql("new", 5);
    target.sql = ledger_sql("old", 5);
    Pair pair(TestCluster::shared(), source, server, target);
    const std::string name = pair.target().name();
    Session open{pair.target().conninfo()};
    const std::size_t began = server.log().size();
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    std::string log = server.log().substr(began);
    const std::size_t away = log.find("alter database \"" + name + "\" rename to \"" + name + "_previous\"");
    REQUIRE(away != std::string::npos);
    const std::size_t back = log.find("rename to \"" + name + "\"", away);
    REQUIRE(back != std::string::npos);
    const auto line_of = [&](std::size_t at) {
        const std::size_t start = log.rfind('\n', at) + 1;
        return log.substr(start, log.find('\n', at) - start);
    };
    for (const std::size_t at : {away, back}) CHECK(line_of(at).starts_with("postgres "));
    const std::size_t begin = log.rfind("begin; set local lock_timeout", away),
                      end = log.find(": commit", back);
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    CHECK(line_of(begin).starts_with("postgres "));
    CHECK(line_of(end).starts_with("postgres "));
    CHECK(!contains(log.substr(begin, back - begin), ": commit"));
    CHECK(log.find("pg_terminate_backend") > away); // nobody is ended before the lock is asked for
    std::transform(log.begin(), log.end(), log.begin(), [](unsigned char c) { return std::tolower(c); });
    CHECK(!contains(log, "allow_connections"));
    CHECK(!contains(log, "connection limit")); // the target has none
    CHECK_THROWS_AS(open.value("select 1"), SqlError);
}

TEST_CASE("settings that the role may not set are remarks with their SQL", "[refresh][swap]") {
    Pair pair(ledger_sql("new", 5), ledger_sql("old", 5));
    TestCluster& server = pair.target().cluster();
    const std::string name = pair.target().name();
    server.role("reader", "");
    Session superuser{server.superuser_conninfo()};
    superuser.sql("alter database " + name + " set log_statement = 'ddl'"); // a superuser's
    superuser.sql("alter role reader in database " + name + " set work_mem = '9MB'");
    superuser.sql("alter database " + name + " set work_mem = '7MB'");
    const ProgramResult result = pair.run("refresh", {"--strict"});
    INFO(result.text());
    CHECK(result.exit_code == 3);
    CHECK(pair.target().value("select label from ledger") == "new");
    std::string statements;
    for (const auto& row :
         pair.target().rows("select r ->> 'sql' from pgsluice.run, jsonb_array_elements(report -> "
                            "'remarks') r where state = 'swapped' order by 1"))
        statements += row[0] + "\n";
    INFO(statements);
    CHECK(contains(statements, "log_statement"));
    CHECK(contains(statements, "ALTER ROLE \"reader\" IN DATABASE"));
    CHECK(!contains(statements, "7MB"));
    CHECK(pair.target().value(
              "select setconfig::text from pg_db_role_setting s join pg_database d on d.oid = "
              "s.setdatabase where d.datname = current_database() and s.setrole = 0") == "{work_mem=7MB}");
}
