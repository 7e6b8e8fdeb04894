#include "session.hpp"
#include "verify_text.hpp"

namespace pgsluice::cli {

int verify_command(Session& session) {
    VerifyOptions options;
    options.connect = session.arguments.refresh.connect;
    options.rows = session.arguments.rows;
    options.jobs = session.arguments.refresh.jobs;
    options.with_kinds = session.arguments.refresh.with_kinds;
    const VerifyReport report = session.api.verify(options, session.ticker);
    session.ticker.finish("");
    session.answer(verify_text(report, session.arguments.verbosity == Verbosity::verbose), to_json(report));
    return report.exit_code();
}

} // namespace pgsluice::cli
