#include "plan_text.hpp"
#include "session.hpp"

namespace pgsluice::cli {

// Exit 0 also when refresh would refuse: what was asked for is the plan, and it says so.
int plan_command(Session& session) {
    const PlanReport report = session.api.plan(session.arguments.refresh, session.ticker);
    session.ticker.finish("");
    const bool in_full = session.arguments.verbosity == Verbosity::verbose;
    session.answer(plan_text(report, session.arguments.refresh_words, in_full), to_json(report));
    return 0;
}

} // namespace pgsluice::cli
