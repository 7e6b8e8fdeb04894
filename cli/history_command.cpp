#include "session.hpp"
#include "upkeep_text.hpp"

namespace pgsluice::cli {

int history_command(Session& session) {
    HistoryOptions options;
    options.connect = session.arguments.refresh.connect;
    options.runs_max = session.arguments.runs_max;
    const HistoryReport report = session.api.history(options, session.ticker);
    session.ticker.finish("");
    session.answer(history_text(report), to_json(report));
    return 0;
}

} // namespace pgsluice::cli
