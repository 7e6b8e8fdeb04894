// A run that is killed, cut off, stopped or loses a server at any moment: the target is the old database
// intact or the new one complete, clients can log in, and the next run finds nothing in its way and leaves
// nothing.
#include <csignal>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "support/all_kinds.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

using Sums = std::map<std::string, std::string>;

constexpr auto logins_wait = 30s;
constexpr auto backends_wait = 10s;

DatabaseOptions owned_by_app() {
    DatabaseOptions options;
    options.owner = "app";
    return options;
}

// Repeated with PGSLUICE_TEST_SEED=number.
unsigned seed() {
    const char* wanted = std::getenv("PGSLUICE_TEST_SEED");
    return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10))
                             : std::random_device{}();
}

// What the target keeps: an extra, and a preserved table of which the source knows a part.
constexpr const char* person_table =
    "create table person (id serial primary key, name text unique not null);"
    "insert into person (name) select 'both ' || i from generate_series(1, 50) i;";
constexpr const char* extra_tables =
    "create schema lab; create table lab.own (id serial primary key, person int references person, note "
    "text);"
    "create table lab.line (text text); create view lab.seen as select note from lab.own;"
    "insert into lab.own (person, note) select i, 'n' from generate_series(1, 50) i;";

// Servers of its own: what happens to them is no other test's business.
struct Stage {
    TestCluster source_server, target_server;
    Pair pair{source_server, owned_by_app(), target_server, owned_by_app()};
    unsigned seeded = seed();
    std::mt19937 random{seeded};
    double run_seconds = 0;
    int round = 0, swapped = 0;
    Sums old_sums, new_sums;
    std::vector<std::string> options; // of refresh
    bool keeps = false;

    explicit Stage(bool with_own = false) {
        load_tiny(pair.source());
        succeed();
        if (with_own) {
            pair.source().sql(person_table);
            succeed();
            pair.target().sql(extra_tables);
            options = {"--preserve", "person"};
            keeps = true;
        }
        run_seconds = succeed();
    }

    double chance() { return std::uniform_real_distribution<>{0, 1}(random); }
    static void sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

    // Each round has rows of its own, so that old and new database differ.
    void begin_round() {
        ++round;
        pair.source().sql("update t1 set name = 'round " + std::to_string(round) + "' where id = 1");
        if (keeps)
            pair.target().sql(
                "insert into person (name) values ('target " + std::to_string(round) +
                "'); insert into lab.own (person, note) values (currval('person_id_seq'), 'new');"
                "update lab.own set note = 'round' where id = 1; insert into lab.line values ('x');");
        old_sums = sums(pair.target());
        new_sums = sums(pair.source());
        if (!keeps) return;
        for (const auto& [table, sum] : old_sums)
            if (table.starts_with("lab.") || table == "public.person") new_sums[table] = sum;
    }

    static Sums sums(const TestDatabase& database) {
        for (const auto deadline = Clock::now() + logins_wait;;) {
            try {
                Session as_owner{database.conninfo()};
                return table_checksums(database.superuser_conninfo());
            } catch (const SqlError& error) {
                if (Clock::now() > deadline) throw;
            }
            sleep(0.1);
        }
    }

    double succeed() {
        begin_round();
        const ProgramResult result = pair.run("refresh", options);
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
        CHECK(sums(pair.target()) == new_sums);
        CHECK(pair.leftovers().empty());
        return result.seconds;
    }

    // A random moment of the run: two of three anywhere, the third around the swap.
    void wait_for_moment(Program& program) {
        if (round % 3 != 0) return sleep(chance() * 1.05 * run_seconds);
        while (program.running() && program.err().find(" swapping") == std::string::npos) sleep(0.005);
        sleep(chance() * 0.12 * run_seconds);
    }

    static std::vector<std::string> our_backends(TestCluster& server) {
        std::vector<std::string> pids;
        Session session{server.superuser_conninfo()};
        for (const auto& row :
             session.rows("select pid from pg_stat_activity where application_name = 'pgsluice' "
                          "and pid <> pg_backend_pid() order by backend_start, pid"))
            pids.push_back(row[0]);
        return pids;
    }

    std::string some_backend(TestCluster& server) {
        const auto pids = our_backends(server);
        if (pids.empty()) return "0";
        return pids[static_cast<std::size_t>(chance() * static_cast<double>(pids.size()))];
    }

    static void expect_no_backends(TestCluster& server) {
        const auto deadline = Clock::now() + backends_wait;
        while (!our_backends(server).empty() && Clock::now() < deadline) sleep(0.05);
        CHECK(our_backends(server).empty());
    }

    // One run with one fault; what it left is looked at, the next one goes over it.
    ProgramResult one_fault(const std::function<void(Program&)>& fault) {
        begin_round();
        std::vector<std::string> more = options;
        more.emplace_back("--verbose");
        Program program{pgsluice_command(pair.arguments("refresh", more))};
        program.wait_until_it_handles(SIGTERM);
        wait_for_moment(program);
        fault(program);
        const ProgramResult result = program.wait();
        INFO("seed " << seeded << ", round " << round << "\n" << result.text());
        CHECK(!result.timed_out);
        const Sums found = sums(pair.target());
        CHECK((found == old_sums || found == new_sums));
        if (result.exit_code == 0) CHECK(found == new_sums);
        if (result.exit_code == 1) CHECK(found == old_sums);
        if (result.signal == 0) CHECK((result.exit_code == 0 || result.exit_code == 1));
        swapped += found == new_sums ? 1 : 0;
        expect_no_backends(source_server);
        expect_no_backends(target_server);
        return result;
    }
};

} // namespace

TEST_CASE("killed at sixty random moments, a run leaves the old target intact or the new one complete",
          "[refresh][faults]") {
    Stage stage;
    const std::vector<std::pair<int, std::function<void(Program&)>>> faults = {
        {22, [](Program& program) { program.send(SIGKILL); }},
        {15,
         [&](Program&) {
             stage.source_server.value("select pg_terminate_backend(" +
                                       stage.some_backend(stage.source_server) + ")");
         }},
        {18,
         [&](Program&) {
             stage.target_server.value("select pg_terminate_backend(" +
                                       stage.some_backend(stage.target_server) + ")");
         }},
        {5, [&](Program&) { // takes the whole server down; it recovers by itself
             const std::string pid = stage.some_backend(stage.target_server);
             if (pid != "0") run_program(stage.target_server.as_server_user({"kill", "-9", pid}));
         }}};
    for (const auto& [times, fault] : faults) {
        for (int i = 0; i < times; ++i) stage.one_fault(fault);
        stage.succeed();
    }
    CHECK(stage.round >= 60);
    WARN("seed " << stage.seeded << ": " << stage.swapped
                 << " of 60 runs had swapped before or in spite of it");
}

TEST_CASE("killed at thirty random moments, a run loses nothing of the target's own", "[refresh][faults]") {
    Stage stage{true};
    const std::vector<std::pair<int, std::function<void(Program&)>>> faults = {
        {15, [](Program& program) { program.send(SIGKILL); }},
        {13,
         [&](Program&) {
             stage.target_server.value("select pg_terminate_backend(" +
                                       stage.some_backend(stage.target_server) + ")");
         }},
        {2, [&](Program&) {
             const std::string pid = stage.some_backend(stage.target_server);
             if (pid != "0") run_program(stage.target_server.as_server_user({"kill", "-9", pid}));
         }}};
    for (const auto& [times, fault] : faults) {
        for (int i = 0; i < times; ++i) stage.one_fault(fault);
        stage.succeed();
    }
    CHECK(stage.round >= 30);
    WARN("seed " << stage.seeded << ": " << stage.swapped << " of 30 runs had swapped");
}

TEST_CASE("a stop ends the process within five seconds and the target is whole", "[refresh][faults][alone]") {
    Stage stage;
    for (int i = 0; i < 10; ++i) {
        const int signal = i % 2 == 0 ? SIGINT : SIGTERM;
        Clock::time_point sent;
        const ProgramResult result = stage.one_fault([&](Program& program) {
            sent = Clock::now();
            program.send(signal);
            while (program.running() && Clock::now() < sent + 10s) stage.sleep(0.01);
            CHECK(Clock::now() - sent < 5s);
        });
        INFO("seed " << stage.seeded << ", round " << stage.round << "\n" << result.text());
        CHECK(result.signal == 0);
        if (result.exit_code == 1) CHECK(result.err.find("stopped by SIG") != std::string::npos);
        if (result.exit_code == 1) CHECK(result.err.find("HINT: ") != std::string::npos);
        if (result.exit_code == 1)
            CHECK((stage.pair.leftovers().empty() ||
                   result.err.find("could not be cleaned up") != std::string::npos));
    }
    stage.succeed();
}

TEST_CASE("a stop before anything began, and one more while it ends, are no kill", "[refresh][faults]") {
    Stage stage;
    for (int i = 0; i < 10; ++i) {
        Program program{pgsluice_command(stage.pair.arguments("refresh"))};
        program.wait_until_it_handles(SIGTERM);
        if (i % 2 == 1) stage.sleep(stage.chance() * 0.3);
        const int signal = i % 4 < 2 ? SIGTERM : SIGINT;
        program.send(signal);
        while (program.running()) {
            stage.sleep(0.002);
            program.send(signal);
        }
        const ProgramResult result = program.wait();
        INFO("seed " << stage.seeded << "\n" << result.text());
        CHECK(result.exit_code == 1);
        CHECK(result.err.find(signal == SIGINT ? "stopped by SIGINT" : "stopped by SIGTERM") !=
              std::string::npos);
        CHECK(stage.pair.leftovers().empty());
    }
    stage.succeed();
}

TEST_CASE("a server that restarts in the middle fails the run and nothing else", "[refresh][faults]") {
    Stage stage;
    for (const std::string mode : {"fast", "immediate"})
        for (TestCluster* server : {&stage.source_server, &stage.target_server})
            stage.one_fault([&](Program&) { server->restart(mode); });
    stage.succeed();
}
