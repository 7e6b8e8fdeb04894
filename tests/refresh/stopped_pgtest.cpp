// Ctrl-C for the commands that only ask.
#include <csignal>

#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("a stop ends plan, check and verify at once, while a server keeps them waiting", "[plan][verify]") {
    const std::string sql = "create table t (i int)";
    Pair pair(sql, sql);
    Session holder(pair.source().superuser_conninfo());
    holder.sql("begin");
    holder.sql("lock table pg_catalog.pg_extension in access exclusive mode");
    const std::string waits = "select exists (select from pg_stat_activity where application_name = "
                              "'pgsluice' and wait_event_type = 'Lock' and datname = '" +
                              pair.source().name() + "')";
    for (const char* command : {"plan", "check", "verify"}) {
        Program run(pgsluice_command(pair.arguments(command)));
        REQUIRE(comes_true(pair.source(), waits));
        run.send(SIGINT);
        const ProgramResult result = run.wait();
        INFO(command << "\n" << result.text());
        CHECK(result.exit_code == 1);
        CHECK(contains(result.err, "stopped by SIGINT"));
        CHECK(result.seconds < 10);
        CHECK(comes_true(pair.source(), waits, "f"));
    }
}
