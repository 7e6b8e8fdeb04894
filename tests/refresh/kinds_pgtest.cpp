// Issue 6's last sentence: a database of every kind, under hostile names, arrives equal by stock pg_dump,
// whoever runs the refresh.
#include "support/all_kinds.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"

using namespace pgsluice::tests;

namespace {

// The target is empty: all is new, and would belong to whoever connects.
const std::vector<std::string> as_on_the_source = {"--acl",      "source",
                                                   "--map-role", "Second \"Owner\"=Second \"Owner\"",
                                                   "--map-role", "all_kinds_writer=all_kinds_writer"};

void check_equal_and_quiet(Pair& pair, const ProgramResult& result) {
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(result.out.find("remark") == std::string::npos);
    expect_equal_databases(pair.source(), pair.target());
    CHECK(pair.leftovers().empty());
    // A trigger that fired while rows were loaded would have left its trace.
    CHECK(pair.target().value("select count(*) from public.traces where what like 'row %'") == "0");
}

// What the run's report holds, as the target's journal keeps it.
std::string of_report(Pair& pair, const std::string& member) {
    return pair.target().value("select (report->'" + member +
                               "')::text from pgsluice.run order by started desc limit 1");
}

} // namespace

TEST_CASE("every kind of object arrives equal", "[refresh][kinds]") {
    Pair pair(all_kinds_options(TestCluster::shared()), all_kinds_options(TestCluster::shared_target()));
    load_all_kinds(pair.source());

    SECTION("as owners that are no superusers") {
        check_equal_and_quiet(pair, pair.run("refresh", as_on_the_source));
        // The graph repaired every cycle, no GRANT was in vain, nothing was left out.
        CHECK(of_report(pair, "remarks") == "[]");
        CHECK(of_report(pair, "notes") == "[]");

        // Now everything is shared: owners and grants stay without being asked for, and plan sees no drift.
        const ProgramResult plan = pair.run("plan", {"--format", "json"});
        INFO(plan.text());
        CHECK(plan.out.find("\"drift\": []") != std::string::npos);
        CHECK(plan.out.find("\"only_target\": []") != std::string::npos);
        check_equal_and_quiet(pair, pair.run("refresh"));
        const ProgramResult verify = pair.run("verify", {"--rows", "checksum"});
        INFO(verify.text());
        CHECK(verify.exit_code == 0);
        CHECK(verify.out.find("differs") == std::string::npos);
    }
    SECTION("as superusers") {
        pair.connect_as_superuser();
        check_equal_and_quiet(pair, pair.run("refresh", as_on_the_source));
        check_equal_and_quiet(pair, pair.run("refresh"));
    }
}
