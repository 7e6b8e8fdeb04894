#include "session.hpp"
#include "upkeep_text.hpp"

namespace pgsluice::cli {

int pending_command(Session& session) {
    PendingOptions options;
    options.connect = session.arguments.refresh.connect;
    const PendingReport report = session.api.pending(options, session.ticker);
    session.ticker.finish("");
    session.answer(pending_text(report), to_json(report));
    return 0;
}

} // namespace pgsluice::cli
