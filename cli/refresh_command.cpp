#include "report/totals.hpp"
#include "session.hpp"

namespace pgsluice::cli {

int refresh_command(Session& session) {
    const RefreshReport report = session.api.refresh(session.arguments.refresh, session.ticker);
    session.ticker.finish("done: " + report::summary(report));
    session.report = to_json(report);
    return session.arguments.refresh.strict && !report.remarks.empty() ? 3 : 0;
}

} // namespace pgsluice::cli
