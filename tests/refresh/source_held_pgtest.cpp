// How long a run holds the source: until its last row has been read, not to its end.
#include <chrono>
#include <thread>

#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

TEST_CASE("the source is let go when its last row has been read", "[refresh]") {
    // A materialized view that takes its time, long after the rows.
    Pair pair(std::string(small_database) +
              "create materialized view slow as select pg_sleep(4)::text as s, count(*) from orders;");
    Session source{pair.source().cluster().superuser_conninfo()},
        target{pair.target().cluster().superuser_conninfo()};
    Program run(pgsluice_command(pair.arguments("refresh")));
    std::string held = "nobody looked";
    while (run.running()) {
        if (target.value("select count(*) from pg_stat_activity where application_name = 'pgsluice' and "
                         "state = 'active' "
                         "and query ilike '%refresh%slow%'") != "0")
            held = source.value(
                "select count(*) from pg_stat_activity where application_name = 'pgsluice' and datname = '" +
                pair.source().name() + "' and (backend_xmin is not null or state like 'idle in trans%')");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(held == "0"); // the last look, seconds after the last row
}
