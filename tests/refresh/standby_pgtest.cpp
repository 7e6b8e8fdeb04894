// A source that is a standby of the target's own server (rules.md section 7).
#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("a standby of the target's server is no source, unless the mark names it", "[guard]") {
    TestCluster primary, standby;
    DatabaseOptions options;
    options.sql = small_database;
    const TestDatabase target(primary, options);
    primary.halt();
    standby.halt();
    // The primary's files under the standby's own port and socket.
    const std::string from = primary.data_directory(), to = standby.data_directory(),
                      kept = standby.directory() + "/kept";
    output_of(standby.as_server_user(
        {"sh", "-c",
         "set -e; mkdir " + kept + "; cp " + to + "/postgresql.conf " + to + "/port.conf " + to +
             "/pg_hba.conf " + kept + "; rm -rf " + to + "/*; cp -a " + from + "/. " + to + "; cp " + kept +
             "/* " + to + "; rm -f " + to + "/postmaster.pid; touch " + to + "/standby.signal"}));
    primary.restart();
    standby.restart();
    const std::string source = standby.conninfo(target.name(), "app");
    const auto refresh = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"refresh", "--source", source, "--target", target.conninfo()});
        return run_program(pgsluice_command(more));
    };
    const ProgramResult refused = refresh({"--allow-target", primary.host() + "/" + target.name()});
    INFO(refused.text());
    expect_failure(refused, 1,
                   {"the source is a standby with the target's system identifier", "allow-target"});
    CHECK(target.value("select to_regnamespace('pgsluice') is null") == "t");
    const ProgramResult marked = run_program(pgsluice_command(
        {"allow-target", "--source", source, "--target", target.conninfo(), "--yes", target.name()}));
    INFO(marked.text());
    REQUIRE(marked.exit_code == 0);
    const ProgramResult done = refresh({});
    INFO(done.text());
    CHECK(done.exit_code == 0);
}

TEST_CASE("another database of the source's own server is a target, with a note", "[guard]") {
    DatabaseOptions options;
    options.sql = small_database;
    const Pair pair(TestCluster::shared(), options, TestCluster::shared(), options);
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(contains(result.err, "its server has the source's system identifier"));
}
