#include "support/merged.hpp"

#include <boost/json.hpp>

#include "support/catch.hpp"

namespace pgsluice::tests {

ProgramResult refresh_as_planned(const Pair& pair, std::vector<std::string> more, int exit_code) {
    std::vector<std::string> of_plan = more;
    of_plan.insert(of_plan.end(), {"--format", "json"});
    const ProgramResult planned = pair.run("plan", of_plan);
    ProgramResult result = pair.run("refresh", std::move(more));
    INFO(result.text());
    REQUIRE(result.exit_code == exit_code);
    CHECK(pair.leftovers().empty());
    if (exit_code != 0) return result;
    INFO(planned.text());
    REQUIRE(planned.exit_code == 0);
    const std::string report = pair.target().value(
        "select report from pgsluice.run where state = 'swapped' order by started desc limit 1");
    CHECK(boost::json::parse(planned.out).at("merge").at("tables") ==
          boost::json::parse(report).at("merge").at("tables"));
    return result;
}

std::string rejected(const Pair& pair) {
    return pair.target().lines(
        "select table_name, reason, count(*) from pgsluice.rejected group by 1, 2 order by 1, 2");
}

std::string pending(const Pair& pair) {
    return pair.target().lines("select why || ' ' || object from pgsluice.pending order by 1");
}

} // namespace pgsluice::tests
