// What a run leaves behind in logs: no password anywhere, and on the source nothing but reading.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

constexpr const char* secret = "Pa55-s3cret";

DatabaseOptions small() {
    DatabaseOptions options;
    options.sql = small_database;
    return options;
}

std::string whole(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::string upper_words(const std::string& statement, std::size_t count) {
    std::istringstream words{statement};
    std::string text, word;
    for (std::size_t i = 0; i < count && words >> word; ++i) {
        for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        text += (i == 0 ? "" : " ") + word;
    }
    return text;
}

} // namespace

TEST_CASE("the password is nowhere, whether the run succeeds or fails", "[refresh][bad]") {
    ClusterOptions options;
    options.scram = true;
    options.settings = {"log_statement=all", "log_connections=on"};
    TestCluster source(options), target(options);
    Trial trial(source, small(), target, small());
    for (TestCluster* cluster : {&source, &target}) {
        cluster->sql("set log_statement = none; alter role app password '" + std::string(secret) + "'");
    }
    trial.source_conninfo =
        "host=127.0.0.1 port=" + source.port() + " user=app dbname=" + trial.source().name();
    trial.target_conninfo = "postgresql://app@127.0.0.1:" + target.port() + "/" + trial.target().name();
    const std::string report =
        std::filesystem::temp_directory_path() / ("pgsluice-report-" + std::to_string(::getpid()) + ".json");
    ProgramOptions env;
    env.env = {{"SECRET", secret}};
    std::vector<std::string> more = {"--source-password-env",
                                     "SECRET",
                                     "--target-password-env",
                                     "SECRET",
                                     "--report",
                                     report,
                                     "--verbose",
                                     "--log",
                                     GENERATE("json", "text")};
    const bool fails = GENERATE(false, true);
    if (fails)
        trial.source().superuser_sql("create operator public.=== (function = pg_catalog.int4eq, "
                                     "leftarg = int, rightarg = int)");
    Program run(pgsluice_command(trial.arguments(more)), env);
    std::string seen;
    for (bool running = true; running;) {
        seen += whole("/proc/" + std::to_string(run.pid()) + "/cmdline");
        for (TestCluster* cluster : {&source, &target})
            for (const auto& row : Session{cluster->superuser_conninfo()}.rows(
                     "select query, application_name from pg_catalog.pg_stat_activity"))
                seen += row[0] + row[1];
        running = run.running();
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == (fails ? 1 : 0));
    CHECK(contains(seen, "refresh"));
    seen += result.out + result.err + whole(report) + source.log() + target.log();
    CHECK(contains(seen, "run_id"));
    if (!fails) seen += trial.target().value("select string_agg(r::text, ' ') from pgsluice.run r");
    CHECK_FALSE(contains(seen, secret));
    std::filesystem::remove(report);
}

TEST_CASE("the source sees nothing but reading", "[refresh][bad]") {
    ClusterOptions options;
    options.settings = {"log_statement=all", "log_line_prefix=%m [%p] %a|"};
    TestCluster cluster(options);
    Trial trial(cluster, small(), TestCluster::shared_target(), small());
    trial.succeeds();
    const std::set<std::string> allowed = {"SELECT", "SHOW", "SET", "BEGIN", "COMMIT", "WITH"};
    std::istringstream lines{cluster.log()};
    const std::string mark = "pgsluice|LOG:  ";
    int statements = 0, copies = 0, locks = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.find(mark) == std::string::npos) continue;
        // "statement: ..." of the simple protocol, "execute <unnamed>: ..." of the extended one
        std::size_t at = line.find(" statement: ");
        if (at != std::string::npos)
            at += std::string(" statement: ").size();
        else if (at = line.find("execute <unnamed>: "); at != std::string::npos)
            at += std::string("execute <unnamed>: ").size();
        else
            continue;
        ++statements;
        std::string statement = line.substr(at);
        // A statement may begin with an empty line; its text is on the next one.
        while (upper_words(statement, 1).empty() && std::getline(lines, line)) statement = line;
        const std::string first = upper_words(statement, 1);
        INFO(statement);
        if (first == "COPY") {
            ++copies;
            CHECK(contains(upper_words(statement, 1000), " TO STDOUT"));
        } else if (first == "LOCK") {
            ++locks;
            CHECK(contains(upper_words(statement, 1000), "IN ACCESS SHARE MODE"));
        } else {
            CHECK(allowed.contains(first.substr(0, first.find(';'))));
        }
    }
    CHECK(statements > 20);
    CHECK(copies == 2);
    CHECK(locks == 1);
}
