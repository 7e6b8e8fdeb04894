#include "report/totals.hpp"
#include "session.hpp"

namespace pgsluice::cli {

int swap_command(Session& session) {
    const RefreshOptions& given = session.arguments.refresh;
    SwapOptions options;
    options.connect = given.connect;
    options.allow_target = given.allow_target;
    options.preserve = given.preserve;
    options.references = given.references;
    options.keep = given.keep;
    options.keep_deleted = given.keep_deleted;
    options.keep_previous = given.keep_previous;
    options.strict = given.strict;
    options.lock_timeout = given.lock_timeout;
    const RefreshReport report = session.api.swap(options, session.ticker);
    session.ticker.finish("done: " + report::summary(report));
    session.answer("", to_json(report));
    return given.strict && !report.remarks.empty() ? 3 : 0;
}

} // namespace pgsluice::cli
