// One run among others and what it may touch: the run lock, leftovers, the previous database, the history,
// the mark, and names of any length (rules.md sections 4, 5 and 7).
#include <csignal>
#include <optional>
#include <sstream>
#include <thread>

#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/text.hpp"

using namespace pgsluice::tests;
namespace tests = pgsluice::tests;
using namespace std::chrono_literals;

namespace {

constexpr const char* old_sql =
    "create table t (id int primary key, word text); insert into t values (1, 'old')";
constexpr const char* new_sql =
    "create table t (id int primary key, word text); insert into t values (1, 'new')";

std::string word(const TestDatabase& database) { return database.value("select word from t where id = 1"); }

bool is_there(TestCluster& server, const std::string& database) {
    for (const std::string& name : server.databases())
        if (name == database) return true;
    return false;
}

void expect_ok(const ProgramResult& result) {
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
}

// Refused with these words, and nothing of ours is in the target.
void expect_untouched(Pair& pair, const ProgramResult& result, const std::vector<std::string>& words) {
    INFO(result.text());
    CHECK(result.exit_code == 1);
    for (const std::string& text : words) CHECK(contains(result.err, text));
    CHECK(word(pair.target()) == "old");
    CHECK(pair.target().value("select to_regnamespace('pgsluice') is null") == "t");
    CHECK(pair.leftovers().empty());
}

} // namespace

TEST_CASE("of two runs on one target the second stops and names the first", "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    Session blocker{pair.source().conninfo()};
    blocker.sql("begin");
    blocker.sql("lock table t in access exclusive mode");
    Program first{pgsluice_command(pair.arguments("refresh", {"--lock-timeout", "60s"}))};
    Session watcher{pair.target().cluster().superuser_conninfo()};
    const std::string holder =
        "select coalesce(max(pid), 0) from pg_locks where locktype = 'advisory' and granted";
    for (int i = 0; i < 400 && watcher.value(holder) == "0"; ++i) std::this_thread::sleep_for(25ms);
    const std::string pid = watcher.value(holder);
    REQUIRE(pid != "0");
    for (const std::string command : {"refresh", "cleanup", "rollback"}) {
        for (const std::string database : {"postgres", "template1"}) {
            const ProgramResult second = pair.run(command, {"--maintenance-db", database});
            INFO(second.text());
            CHECK(second.exit_code == 1);
            CHECK(contains(second.err, "another run of pgsluice works on this target"));
            CHECK(contains(second.err, "server process " + pid));
        }
    }
    blocker.sql("rollback");
    expect_ok(first.wait());
    CHECK(word(pair.target()) == "new");
}

TEST_CASE("a previous database that no run made is refused before anything is written", "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    Session superuser{pair.target().cluster().superuser_conninfo()};
    const std::string previous = pair.target().name() + "_previous";
    superuser.sql("create database " + previous + " owner app");
    expect_untouched(pair, pair.run("refresh"), {previous, "no run made it", "HINT"});
    const ProgramResult back = pair.run("rollback");
    INFO(back.text());
    CHECK(back.exit_code == 1);
    CHECK(contains(back.err, "was not moved there by a run"));
    const ProgramResult cleanup = pair.run("cleanup");
    INFO(cleanup.text());
    CHECK(cleanup.exit_code == 0);
    CHECK(contains(cleanup.out, "kept " + previous));
    CHECK(is_there(pair.target().cluster(), previous));

    SECTION("also when it takes the place of one that a run did make") {
        superuser.sql("drop database " + previous);
        expect_ok(pair.run("refresh"));
        superuser.sql("drop database " + previous);
        superuser.sql("create database " + previous + " owner app");
        const ProgramResult refused = pair.run("refresh");
        INFO(refused.text());
        CHECK(refused.exit_code == 1);
        CHECK(is_there(pair.target().cluster(), previous));
    }
}

TEST_CASE("only databases that the journal knows and our role owns are leftovers", "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    TestCluster& server = pair.target().cluster();
    server.role("other", "CREATEDB");
    Session superuser{server.superuser_conninfo()};
    const std::string name = pair.target().name();
    const auto named = [&](const std::string& run) { return name + "_pgsluice_" + run; };
    const std::string unknown = named("aaaaaaaa"), foreign = named("bbbbbbbb"), known = named("cccccccc");
    expect_ok(pair.run("refresh"));
    pair.target().sql("insert into pgsluice.run (run_id, command, state, database) values "
                      "('bbbbbbbb', 'refresh', 'running', '" +
                      foreign +
                      "'), "
                      "('cccccccc', 'refresh', 'running', '" +
                      known +
                      "'), "
                      "('dddddddd', 'refresh', 'running', 'postgres')");
    superuser.sql("create database " + unknown + " owner app");
    superuser.sql("create database " + foreign + " owner other");
    superuser.sql("create database " + known + " owner app");
    Session ours{server.conninfo(known, "app") + " application_name=pgsluice"}; // a killed client's backend
    SECTION("for the next run, which says that they were interrupted") {
        expect_ok(pair.run("refresh"));
        CHECK(pair.target().value("select state from pgsluice.run where run_id = 'cccccccc'") ==
              "interrupted");
    }
    SECTION("for cleanup, which drops the previous one too") {
        const ProgramResult result = pair.run("cleanup");
        expect_ok(result);
        CHECK(contains(result.out, "dropped " + known));
        CHECK(contains(result.out, "dropped " + name + "_previous"));
        CHECK(!is_there(server, name + "_previous"));
    }
    CHECK(!is_there(server, known));
    CHECK(is_there(server, unknown));
    CHECK(is_there(server, foreign));
    CHECK(is_there(server, "postgres"));
    CHECK_THROWS_AS(ours.sql("select 1"), SqlError);
}

TEST_CASE("the previous database is kept or dropped as asked, and rollback says when there is none",
          "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    const std::string previous = pair.target().name() + "_previous";
    const auto refuse_rollback = [&] {
        const ProgramResult none = pair.run("rollback");
        INFO(none.text());
        CHECK(none.exit_code == 1);
        CHECK(contains(none.err, "no previous database"));
        CHECK(contains(none.err, "HINT"));
    };
    refuse_rollback();
    expect_ok(pair.run("refresh", {"--drop-previous"}));
    CHECK(!is_there(pair.target().cluster(), previous));
    refuse_rollback();
    expect_ok(pair.run("refresh", {"--keep-previous"}));
    CHECK(is_there(pair.target().cluster(), previous));
    expect_ok(pair.run("rollback"));
    const ProgramResult history = pair.run("history");
    INFO(history.text());
    CHECK(history.exit_code == 0);
    CHECK(contains(history.out, "rolled back"));
    CHECK(contains(history.out, "swapped"));
    CHECK(!contains(history.out, "running")); // as the old database still had it when it was moved away
    CHECK(history.err.find("error") == std::string::npos);
}

TEST_CASE("names of 60 and 63 bytes and of other alphabets", "[refresh][runs]") {
    const std::string sixty(60, 'n'), sixty_three = "m" + std::string(62, 'x');
    std::string alphabet = "prä \"prod\" ";
    while (alphabet.size() + 3 <= 63) alphabet += "数";
    for (const std::string& name : {sixty, sixty_three, alphabet}) {
        INFO(name);
        TestCluster& server = TestCluster::shared_target();
        DatabaseOptions source, target;
        source.sql = new_sql;
        target.sql = old_sql;
        target.name = name;
        Pair pair(TestCluster::shared(), source, server, target);
        const std::vector<std::string> before = server.databases();
        expect_ok(pair.run("refresh"));
        CHECK(word(pair.target()) == "new");
        CHECK(server.databases().size() == before.size() + 1);
        expect_ok(pair.run("refresh"));
        expect_ok(pair.run("rollback"));
        expect_ok(pair.run("rollback"));
        CHECK(server.databases().size() == before.size() + 1);
        expect_ok(pair.run("cleanup"));
        CHECK(server.databases() == before);
        CHECK(word(pair.target()) == "new");
    }
}

TEST_CASE("the mark lives through swaps, and counts for its own server, name and source only",
          "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    const std::string target = pair.target().conninfo(), source = pair.source().conninfo();
    const auto refresh = [&](const std::string& from) {
        return tests::pgsluice({"refresh", "--source", from, "--target", target});
    };
    expect_untouched(pair, refresh(source), {"not marked", "allow-target"});
    const std::string name = pair.target().name();
    const ProgramResult misspelt =
        tests::pgsluice({"allow-target", "--source", source, "--target", target, "--yes", name + "x"});
    CHECK(misspelt.exit_code != 0);
    expect_untouched(pair, refresh(source), {"not marked"});
    expect_ok(tests::pgsluice({"allow-target", "--source", source, "--target", target, "--yes", name}));
    for (int i = 0; i < 2; ++i) expect_ok(refresh(source));
    expect_ok(tests::pgsluice({"rollback", "--target", target}));
    expect_ok(refresh(source));
    CHECK(pair.source().value("select to_regnamespace('pgsluice') is null") == "t");

    const auto expect_refused = [&](const ProgramResult& result, const std::string& why) {
        INFO(result.text());
        CHECK(result.exit_code == 1);
        CHECK(contains(result.err, why));
    };
    DatabaseOptions other;
    other.sql = new_sql;
    TestDatabase third{TestCluster::shared(), other};
    expect_refused(refresh(third.conninfo()), "allows another source");
    pair.target().sql("update pgsluice.mark set system_identifier = '1' || system_identifier");
    expect_refused(refresh(source), "made for another server or database");
    pair.target().sql(
        "update pgsluice.mark set system_identifier = substr(system_identifier, 2), database = 'x'");
    expect_refused(refresh(source), "made for another server or database");
}

TEST_CASE("exchanged conninfos are refused, and the source's log shows no write", "[refresh][runs]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all"};
    TestCluster prod{logging};
    DatabaseOptions source, target;
    source.sql = new_sql;
    target.sql = old_sql;
    Pair pair(prod, source, TestCluster::shared_target(), target);
    const std::string right = pair.source().conninfo(), left = pair.target().conninfo();
    expect_ok(tests::pgsluice(
        {"allow-target", "--source", right, "--target", left, "--yes", pair.target().name()}));
    const std::size_t begin = prod.log().size();
    const ProgramResult exchanged = tests::pgsluice({"refresh", "--source", left, "--target", right});
    INFO(exchanged.text());
    CHECK(exchanged.exit_code == 1);
    CHECK(contains(exchanged.err, "source and target are exchanged"));
    CHECK(word(pair.source()) == "new");
    expect_ok(tests::pgsluice(
        {"refresh", "--source", right, "--target", left})); // nor does a run the right way round
    std::istringstream log{prod.log().substr(begin)};
    int statements = 0;
    for (std::string line; std::getline(log, line);) {
        const auto at = line.find("statement: ");
        if (at == std::string::npos) continue;
        ++statements;
        for (const char* verb :
             {"insert ", "update ", "delete ", "create ", "drop ", "alter ", "truncate ", "grant "})
            if (line.compare(at + 11, std::string(verb).size(), verb) == 0) FAIL_CHECK(line);
        CHECK(!contains(line, " from stdin"));
    }
    CHECK(statements > 10);
}

TEST_CASE("the run's line is there before its database is, and a kill meanwhile leaves nothing for the next",
          "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    TestCluster& server = pair.target().cluster();
    server.sql("create database held_pattern template template0 is_template true");
    std::optional<Session> in_template(std::in_place, server.superuser_conninfo("held_pattern"));
    Program run{pgsluice_command(pair.arguments("refresh", {"--template", "held_pattern"}))};
    const std::string creating =
        "select count(*) from pg_stat_activity where state = 'active' and query like "
        "'create database%held_pattern%'";
    for (int i = 0; i < 1000 && run.running() && server.value(creating) == "0"; ++i)
        std::this_thread::sleep_for(10ms);
    CHECK(pair.leftovers().empty());
    CHECK(pair.target().value("select count(*) from pgsluice.run where state = 'running' and database = "
                              "current_database() || '_pgsluice_' || run_id") == "1");
    run.send(SIGKILL);
    run.wait();
    in_template.reset();
    const std::string ours = "select count(*) from pg_stat_activity where application_name = 'pgsluice'";
    for (int i = 0; i < 400 && server.value(ours) != "0"; ++i) std::this_thread::sleep_for(50ms);
    expect_ok(pair.run("refresh"));
    CHECK(pair.leftovers().empty());
    CHECK(pair.target().value("select count(*) from pgsluice.run where state = 'interrupted'") == "1");
    server.sql("alter database held_pattern is_template false");
    server.sql("drop database held_pattern");
}

TEST_CASE("the new database has the last twenty runs and what they rejected", "[refresh][runs]") {
    Pair pair(new_sql, old_sql);
    expect_ok(pair.run("refresh"));
    pair.target().sql(
        "insert into pgsluice.run (run_id, command, state, started) select 'old' || to_char(i, 'FM00000'), "
        "'refresh', 'failed', now() - i * interval '1 day' from generate_series(1, 30) i;"
        "insert into pgsluice.rejected (table_name, reason, \"row\", run_id) select 'public.t', 'r', '{}', "
        "run_id from pgsluice.run where state = 'failed'");
    expect_ok(pair.run("refresh"));
    CHECK(pair.target().value("select count(*) from pgsluice.run") == "20");
    CHECK(pair.target().value("select max(run_id) from pgsluice.run where run_id like 'old%'") == "old00018");
    CHECK(pair.target().value("select count(*) from pgsluice.rejected") == "18");
}

TEST_CASE("schema pgsluice of the source stays there", "[refresh][runs]") {
    Pair first(new_sql, old_sql);
    expect_ok(first.run("refresh")); // what is a target here is a source there
    first.target().sql("insert into pgsluice.mark (system_identifier, database, allowed_source_host, "
                       "allowed_source_database) values ('1', 'x', 'somewhere', 'else')");
    DatabaseOptions options;
    options.sql = old_sql;
    const TestDatabase last{TestCluster::shared(), options};
    expect_ok(tests::pgsluice({"refresh", "--source", first.target().conninfo(), "--target", last.conninfo(),
                               "--allow-target", last.cluster().host() + "/" + last.name()}));
    CHECK(word(last) == "new");
    CHECK(last.value("select count(*) from pgsluice.run") == "1");
    CHECK(last.value("select count(*) from pgsluice.mark") == "0");
    CHECK(
        last.value("select count(*) from pgsluice.identity where schema = 'pgsluice' or name = 'pgsluice'") ==
        "0");
}
