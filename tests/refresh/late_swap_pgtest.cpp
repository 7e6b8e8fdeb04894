// The end of a run under clients that write without pause: what was confirmed on the old database is in the
// new one, whoever waits behind our locks (rules.md section 4).
#include <atomic>
#include <csignal>
#include <optional>
#include <thread>

#include "pq/fixture.hpp"
#include "run/late_merge.hpp"
#include "run/swap.hpp"
#include "support/catalog.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"
#include "support/writers.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

struct Silent final : report::Observer {
    void on(const report::Event&) override {}
};

// A target, a new database beside it, and the end of a run between them, by hand.
struct End : PqFixture {
    End()
        : target(TestCluster::shared(), people()), made(TestCluster::shared(), people()),
          context(options(), silent, loops, run::Sides::target) {
        made.sql("create schema pgsluice");
    }
    static DatabaseOptions people() {
        DatabaseOptions options;
        options.sql = people_sql;
        return options;
    }
    RefreshOptions options() const {
        RefreshOptions made_options;
        made_options.connect.target = target.conninfo();
        made_options.connect.stop = stop;
        return made_options;
    }
    void begin() {
        input.at_start = run::fingerprint_of(read_catalog(target.conninfo()));
        input.extras = {{"public", "people", {"id", "name", "note"}, {"id"}},
                        {"public", "person_role", {"id", "person", "role"}, {"id"}}};
        input.sequences = {{"public", "people_id_seq"}, {"public", "person_role_id_seq"}};
        rows.emplace(run(run::TargetRows::open(context)));
        run(rows->remember(input.extras));
        // The early copy, of the same snapshot.
        const std::string adopt =
            "begin isolation level repeatable read; set transaction snapshot '" + rows->snapshot() + "'";
        Session old{target.conninfo()}, fresh{made.conninfo()};
        old.sql(adopt);
        for (const run::WatchedTable& table : input.extras)
            for (const auto& row : old.rows("select quote_literal(t::text) from " + table.name + " t"))
                fresh.sql("insert into " + table.name + " overriding system value select (" + row[0] +
                          "::" + table.name + ").*");
        old.sql("commit");
        run(rows->end_snapshot());
    }
    void merge() {
        pq::Connection inside = open(made.conninfo());
        run(run::merge_late(context, *rows, inside, input));
    }
    run::SwapResult swap(const std::function<Task<void>()>& check = {}) {
        run::SwapNames names{target.name(), made.name(), target.name() + "_previous"};
        pq::Connection a = run(run::open_maintenance(context)), b = run(run::open_maintenance(context));
        run::LastSession last;
        last.server_process = rows->server_process();
        last.check = check;
        last.close = [this] { rows.reset(); };
        return run(run::swap_databases(context, a, b, names, last));
    }

    StopSource stop;
    TestDatabase target, made;
    Silent silent;
    run::Context context;
    run::LateInput input;
    std::optional<run::TargetRows> rows;
};

void wait_for(const Writers& writers, long more) {
    const long wanted = writers.confirmed() + more;
    for (int i = 0; i < 2000 && writers.confirmed() < wanted; ++i) std::this_thread::sleep_for(10ms);
    CHECK(writers.confirmed() >= wanted);
}

} // namespace

TEST_CASE("every confirmed row of clients that never pause is in the new database", "[late][swap]") {
    for (int round = 0; round < 5; ++round) {
        End end;
        Writers writers(end.target.conninfo(), 4);
        wait_for(writers, 60);
        end.begin();
        wait_for(writers, 100);
        end.merge();
        std::this_thread::sleep_for(100ms); // all clients wait behind the locks
        const run::SwapResult result = end.swap();
        wait_for(writers, 50);
        writers.stop();
        std::string all;
        for (const std::string& line : writers.missing(end.target.conninfo())) all += line + "\n";
        for (const std::string& line : writers.wrong()) all += line + "\n";
        INFO(all);
        CHECK(all.empty());
        WARN("round " << round << ": " << writers.confirmed() << " confirmed, " << writers.unknown()
                      << " unanswered, away " << std::chrono::duration<double>(result.away).count() << " s");
    }
}

TEST_CASE("a client behind the locks ends before our last session does, and commits nothing",
          "[late][swap]") {
    End end;
    end.begin();
    end.merge();
    Session client{end.target.conninfo()};
    client.sql("set application_name = 'pgsluice'"); // its name makes it no session of ours
    bool ended = false;
    std::thread waiting([&] {
        try {
            client.sql("insert into people (name, note) values ('late', 'late')");
        } catch (const SqlError&) {
            ended = true;
        }
    });
    REQUIRE(comes_true(end.target, "select count(*) = 1 from pg_locks where not granted"));
    bool alone = false;
    const std::string others = "select count(*) from pg_stat_activity where datname = '" + end.target.name() +
                               "' and pid <> " + std::to_string(end.rows->server_process());
    end.swap([&]() -> Task<void> {
        alone = end.made.cluster().value(others) == "0";
        co_return;
    });
    waiting.join();
    CHECK(ended);
    CHECK(alone);
    CHECK(end.target.cluster().value("select count(*) from people", end.target.name() + "_previous") == "0");
}

TEST_CASE("what the last look finds ends the swap, and the target stays", "[late][swap]") {
    End end;
    end.begin();
    end.merge();
    const auto refuse = []() -> Task<void> {
        throw Error{ErrorKind::refused, "somebody has changed it"};
        co_return;
    };
    try {
        end.swap(refuse);
        FAIL("swapped");
    } catch (const Error& error) {
        CHECK(error.message() == "somebody has changed it");
    }
    CHECK(end.rows.has_value()); // with its locks
    end.rows.reset();
    Session client{end.target.conninfo()};
    client.sql("insert into people (name, note) values ('a', 'b')");
    CHECK(end.made.exists());
}

TEST_CASE("a stop in the middle of an attempt does not wait for the server's five seconds", "[late][swap]") {
    ClusterOptions options;
    options.settings = {"max_prepared_transactions=5"};
    TestCluster server{options};
    DatabaseOptions target;
    target.sql = "create table t (id int)";
    Pair pair(TestCluster::shared(), target, server, target);
    pair.source().sql("insert into t values (1)");
    Session blocker{pair.source().conninfo()};
    blocker.sql("begin");
    blocker.sql("lock table t in access exclusive mode");
    Program late{pgsluice_command(pair.arguments("refresh", {"--verbose", "--lock-timeout", "60s"}))};
    const auto wait_for_text = [&](const std::string& text) {
        for (int i = 0; i < 1200 && late.running() && !contains(late.err(), text); ++i)
            std::this_thread::sleep_for(25ms);
    };
    wait_for_text("locking the source's tables");
    pair.target().sql("begin; create table other (id int); prepare transaction 'late'");
    blocker.sql("rollback");
    wait_for_text(" swapping");
    std::this_thread::sleep_for(1s);
    const auto sent = std::chrono::steady_clock::now();
    late.send(SIGTERM);
    const ProgramResult result = late.wait();
    INFO(result.text());
    CHECK(std::chrono::steady_clock::now() - sent < 3s);
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "stopped by SIGTERM"));
    CHECK(pair.leftovers().empty());
    pair.target().sql("rollback prepared 'late'");
}

TEST_CASE("a superuser's session that comes after the wait ends nobody's session", "[late][swap]") {
    Pair pair("create table t (id int); insert into t values (1)", "create table t (id int)");
    std::atomic<bool> over{false};
    std::thread administrator([&] { // never there for long, often there
        while (!over) {
            try {
                Session session{pair.target().superuser_conninfo()};
                std::this_thread::sleep_for(30ms);
            } catch (const SqlError&) {
            }
            std::this_thread::sleep_for(15ms);
        }
    });
    Session application{pair.target().conninfo()};
    const ProgramResult result = pair.run("refresh");
    over = true;
    administrator.join();
    INFO(result.text());
    // Swapped between two of its visits, or refused: then nobody was ended for nothing.
    if (result.exit_code == 0)
        CHECK(pair.target().value("select count(*) from t") == "1");
    else
        CHECK(application.value("select count(*) from t") == "0");
    CHECK(pair.leftovers().empty());
}

TEST_CASE("a second rename that fails takes the first one back", "[late][swap]") {
    End end;
    end.begin();
    end.merge();
    const std::string moved = end.made.name() + "_pgsluice_moved";
    std::string failure;
    try {
        end.swap([&]() -> Task<void> {
            end.made.cluster().sql("alter database " + end.made.name() + " rename to " + moved);
            co_return;
        });
        FAIL("swapped");
    } catch (const Error& error) {
        failure = error.sqlstate();
    }
    CHECK(failure == "3D000");
    Session client{end.target.conninfo()};
    client.sql("insert into people (name, note) values ('a', 'b')");
    CHECK(end.target.cluster().value("select count(*) from pg_database where datname = '" +
                                     end.target.name() + "_previous'") == "0");
}
