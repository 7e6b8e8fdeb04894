#include "session.hpp"
#include "upkeep_text.hpp"

namespace pgsluice::cli {

int rollback_command(Session& session) {
    RollbackOptions options;
    options.connect = session.arguments.refresh.connect;
    options.allow_target = session.arguments.refresh.allow_target;
    const RollbackReport report = session.api.rollback(options, session.ticker);
    session.ticker.finish("");
    session.answer(rollback_text(report), to_json(report));
    return 0;
}

} // namespace pgsluice::cli
