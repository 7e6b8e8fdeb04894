#include "session.hpp"
#include "upkeep_text.hpp"

namespace pgsluice::cli {

int cleanup_command(Session& session) {
    CleanupOptions options;
    options.connect = session.arguments.refresh.connect;
    options.allow_target = session.arguments.refresh.allow_target;
    const CleanupReport report = session.api.cleanup(options, session.ticker);
    session.ticker.finish("");
    session.answer(cleanup_text(report), to_json(report));
    return 0;
}

} // namespace pgsluice::cli
