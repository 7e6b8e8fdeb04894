// The whole program but for process and engine: exit codes, what goes where, the report file.
#include "program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/fake_api.hpp"
#include "cli/world_fixture.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::cli;
using namespace std::chrono_literals;

namespace {

struct Ran {
    int code;
    std::string out, err;
};

const std::vector<std::string> sides = {"--source", "service=prod", "--target", "service=preprod"};

Ran run(const FakeApi& fake, std::vector<std::string> words, const std::string& typed = "",
        bool terminal = false, bool with_sides = true, bool full = false) {
    if (with_sides) words.insert(words.end(), sides.begin(), sides.end());
    TestWorld test;
    test.in.str(typed);
    if (full) test.out.setstate(std::ios::badbit);
    World world = test.world();
    world.in_is_terminal = terminal;
    const int code = run_program(words, fake.api(), world);
    return {code, test.out.str(), test.err.str()};
}

struct TemporaryFolder {
    std::filesystem::path path;
    TemporaryFolder() {
        char name[] = "/tmp/pgsluice_cli_XXXXXX";
        path = ::mkdtemp(name);
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

std::string content(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("Ctrl-C at the question of allow-target ends the program, and marks nothing") {
    const FakeApi fake;
    fake->mark.database = "app";
    TestWorld test;
    test.in.str("app\n");
    World world = test.world();
    world.in_is_terminal = true;
    world.await_input = [&world] {
        world.stop.request(SIGINT);
        throw world.stop.error();
    };
    CHECK(run_program({"allow-target", sides[0], sides[1], sides[2], sides[3]}, fake.api(), world) == 1);
    CHECK(test.err.str().find("stopped by SIGINT") != std::string::npos);
    CHECK(fake->marks_written == 0);
}

TEST_CASE("a refresh ends with one line and exit 0, with remarks too, but not when strict") {
    const FakeApi fake;
    fake->events = {report::RunStarted{"abcdefgh", "refresh", "prod/app", "preprod/app"}};
    fake->refresh.rows = 5;
    fake->refresh.remarks.push_back({"trigger x", "not carried", "", ""});
    const Ran ran = run(fake, {"refresh"});
    CHECK(ran.code == 0);
    CHECK(ran.out.empty());
    CHECK(ran.err == "2025-11-26T00:00:00.000Z abcdefgh refresh from prod/app to preprod/app\n"
                     "2025-11-26T00:00:00.000Z abcdefgh done: 0 tables, 5 rows, 0 B in 0.00 s; target away "
                     "0.00 s; source held "
                     "0.00 s; 1 remark\n");
    CHECK(run(fake, {"refresh", "--strict"}).code == 3);
    fake->refresh.remarks.clear();
    CHECK(run(fake, {"refresh", "--strict"}).code == 0);
}

TEST_CASE("an error's kind is the exit code and its hint is printed") {
    const FakeApi fake;
    const std::pair<ErrorKind, int> kinds[] = {{ErrorKind::refused, 1},     {ErrorKind::connection, 1},
                                               {ErrorKind::usage, 2},       {ErrorKind::attention, 4},
                                               {ErrorKind::stopped, 1},     {ErrorKind::internal, 1},
                                               {ErrorKind::verification, 1}};
    for (const auto& [kind, code] : kinds) {
        fake->error = Error{kind, "it broke"}.sqlstate("53100").object("table public.t").hint("mend it");
        const Ran ran = run(fake, {"refresh"});
        CHECK(ran.code == code);
        CHECK(ran.err == "2025-11-26T00:00:00.000Z - error: it broke [53100]\n"
                         "2025-11-26T00:00:00.000Z -   object: table public.t\n"
                         "2025-11-26T00:00:00.000Z -   HINT: mend it\n");
    }
}

TEST_CASE("a usage error is exit 2, says why and calls nothing") {
    const FakeApi fake;
    const Ran ran = run(fake, {"refresh", "--jobs", "0"});
    CHECK(ran.code == 2);
    CHECK(ran.err == "pgsluice: error: --jobs cannot be \"0\"\npgsluice:   HINT: a number from 1 to 64\n");
    CHECK(fake->calls == 0);
}

TEST_CASE("the report is written on success and on failure, for the owner only") {
    const TemporaryFolder folder;
    const std::string path = folder.path / "report.json";
    const FakeApi fake;
    fake->refresh.state = "swapped";
    CHECK(run(fake, {"refresh", "--report", path}).code == 0);
    CHECK(content(path).find("\"state\": \"swapped\"") != std::string::npos);
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);

    fake->events = {report::RunStarted{"abcdefgh", "refresh", "prod/app", "preprod/app"},
                    report::Noted{"", "n"}};
    fake->error = Error{ErrorKind::target, "disk full"}.sqlstate("53100");
    CHECK(run(fake, {"refresh", "--report", path}).code == 1);
    const std::string failed = content(path);
    CHECK(failed.find("\"run_id\": \"abcdefgh\"") != std::string::npos);
    CHECK(failed.find("\"state\": \"failed\"") != std::string::npos);
    CHECK(failed.find("\"sqlstate\": \"53100\"") != std::string::npos);
    CHECK(failed.find("swapped") == std::string::npos); // nothing of the longer report before it
}

TEST_CASE("a report that cannot be written stops everything before it starts") {
    const FakeApi fake;
    const Ran ran = run(fake, {"refresh", "--report", "/no/such/folder/report.json"});
    CHECK(ran.code == 2);
    CHECK(ran.err.find("cannot open report file /no/such/folder/report.json") != std::string::npos);
    CHECK(fake->calls == 0);
}

TEST_CASE("a report that fails at the end does not make a done refresh look failed") {
    const FakeApi fake;
    const Ran ran = run(fake, {"refresh", "--report", "/dev/full"});
    CHECK(ran.code == 0);
    CHECK(ran.err.find("error: cannot write report file /dev/full") != std::string::npos);
}

TEST_CASE("plan answers on standard output, also when refresh would refuse") {
    const FakeApi fake;
    fake->plan.refusals.push_back({"table public.deltas", "only the target has it", "--extras=drop"});
    const Ran text = run(fake, {"plan"});
    CHECK(text.code == 0);
    CHECK(text.out.find("REFRESH WOULD REFUSE, for 1 reason:\n  table public.deltas: only the target has it\n"
                        "    HINT: --extras=drop\n") != std::string::npos);
    CHECK(text.out.ends_with("  pgsluice refresh --source service=prod --target service=preprod\n"));
    const Ran json = run(fake, {"plan", "--format", "json"});
    CHECK(json.out.starts_with("{\n"));
    CHECK(json.err.empty());
}

TEST_CASE("an answer that cannot be written is a failure of who only asked") {
    const FakeApi fake;
    fake->mark.database = "app";
    for (const auto& [words, code] : std::map<std::vector<std::string>, int>{
             {{"plan"}, 1}, {{"check"}, 1}, {{"allow-target", "--yes", "app"}, 0}}) {
        INFO(words[0]);
        const Ran full = run(fake, words, "", false, true, true);
        CHECK(full.code == code);
        CHECK((full.err.find("cannot write the answer") != std::string::npos) == (code == 1));
    }
}

TEST_CASE("check and verify say with their exit code what they found") {
    const FakeApi fake;
    CHECK(run(fake, {"check"}).code == 0);
    CHECK(run(fake, {"verify"}).code == 0);
    fake->check.items.push_back(
        {report::Side::target, "CREATEDB", false, report::Needed::now, "alter role r createdb", ""});
    fake->verify.schema.push_back({"view public.v", "missing", "", "", false});
    const Ran check = run(fake, {"check"});
    CHECK(check.code == 1);
    CHECK(check.out.find("  MISSING target  CREATEDB\n    HINT: alter role r createdb\n") !=
          std::string::npos);
    CHECK(run(fake, {"verify"}).code == 1);
}

TEST_CASE("the mark needs the target's name, typed or given") {
    const FakeApi fake;
    fake->mark.database = "app";
    CHECK(run(fake, {"allow-target"}).code == 2); // nobody there to type
    CHECK(run(fake, {"allow-target", "--yes", "other"}).code == 2);
    CHECK(run(fake, {"allow-target"}, "other\n", true).code == 1);
    CHECK(run(fake, {"allow-target"}, "", true).code == 1);
    CHECK(fake->marks_written == 0);
    CHECK(run(fake, {"allow-target", "--yes", "app"}).code == 0);
    CHECK(run(fake, {"allow-target"}, "app\n", true).code == 0);
    CHECK(fake->marks_written == 2);
    CHECK(fake->allow_target_options.confirmed_name == "app");
}

TEST_CASE("upkeep commands need no source") {
    const FakeApi fake;
    fake->cleanup.dropped.push_back({"app_previous", "previous database", 1 << 20});
    const Ran cleaned = run(fake, {"cleanup", "--target", "service=preprod"}, "", false, false);
    CHECK(cleaned.code == 0);
    CHECK(cleaned.out == "dropped app_previous (previous database, 1.0 MiB)\n");
    CHECK(run(fake, {"rollback", "--target", "service=preprod"}, "", false, false).code == 0);
    fake->history.runs.push_back(
        {"abcdefgh", "swapped", "prod/app", WallTime{} + 1764115200s, WallTime{} + 1764115325s, "{}"});
    CHECK(run(fake, {"history", "--target", "service=preprod"}, "", false, false).out ==
          "2025-11-26T00:00:00.000Z  abcdefgh  swapped      2 min 5 s     from prod/app\n");
}

TEST_CASE("pending prints SQL that psql can run, and everything else as comments") {
    const FakeApi fake;
    const std::vector<std::string> words = {"pending", "--target", "service=preprod"};
    CHECK(run(fake, words, "", false, false).out.starts_with("-- nothing of "));
    fake->pending.pending.push_back({"view public.v", "column \"x\" does not exist [42703]\n; drop table t;",
                                     "cannot", "CREATE VIEW public.v AS\n SELECT 1;", "abcdefgh",
                                     "2025-11-26", "2025-11-27"});
    fake->pending.rejected.push_back({"public.users", "two rows match", 2});
    CHECK(run(fake, words, "", false, false).out ==
          "-- view public.v\n"
          "--   column \"x\" does not exist [42703] ; drop table t;\n"
          "--   cannot, since 2025-11-26, run abcdefgh, tried 2025-11-27\n"
          "CREATE VIEW public.v AS\n SELECT 1;\n\n"
          "-- 2 rows of public.users in pgsluice.rejected: two rows match\n");
}

TEST_CASE("with a terminal the log is the live block, and quiet is quiet there too") {
    const FakeApi fake;
    fake->events = {report::RunStarted{"abcdefgh", "refresh", "a", "b"}};
    TestWorld test;
    World world = test.world();
    world.err_is_terminal = true;
    std::vector<std::string> words = {"refresh"};
    words.insert(words.end(), sides.begin(), sides.end());
    CHECK(run_program(words, fake.api(), world) == 0);
    CHECK(test.err.str().find("\x1b[?25h") != std::string::npos);
    test.err.str("");
    words.push_back("--quiet");
    CHECK(run_program(words, fake.api(), world) == 0);
    CHECK(test.err.str().empty());
}
