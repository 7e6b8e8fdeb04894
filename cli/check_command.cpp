#include "check_text.hpp"
#include "session.hpp"

namespace pgsluice::cli {

int check_command(Session& session) {
    const CheckReport report = session.api.check(session.arguments.refresh, session.ticker);
    session.ticker.finish("");
    session.answer(check_text(report), to_json(report));
    return report.ok() ? 0 : 1;
}

} // namespace pgsluice::cli
