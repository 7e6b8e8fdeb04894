#include "api/cleanup.hpp"

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "run/blocking.hpp"
#include "run/journal.hpp"
#include "run/new_database.hpp"
#include "run/target_session.hpp"
#include "run/waiting.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

Task<report::CleanupReport> cleanup_on_main(CleanupOptions options, report::Observer& observer,
                                            flow::Loops& loops) {
    RefreshOptions common;
    common.connect = options.connect;
    common.allow_target = options.allow_target;
    Context context(std::move(common), observer, loops, run::Sides::target);
    context.step("connecting");
    run::TargetSession session = co_await run::open_target_session(context, true);
    report::CleanupReport report;
    report.target = context.target_database();

    const std::vector<std::string> waiting =
        co_await run::discard_waiting(context, session.maintenance, *session.target);
    for (const std::string& name : waiting) report.dropped.push_back({name, "waited for its swap", 0});
    const std::vector<run::Leftover> leftovers =
        co_await run::find_leftovers(session.maintenance, *session.target, context);
    for (const run::Leftover& leftover : leftovers) {
        co_await run::drop_database(session.maintenance, leftover.name, leftover.oid);
        report.dropped.push_back({leftover.name, "leftover of run " + leftover.run_id, leftover.bytes});
    }
    const std::string previous = previous_database_name(context.target_database());
    try {
        const std::uint64_t bytes = co_await run::database_bytes(session.maintenance, previous);
        const bool dropped =
            co_await run::drop_previous(session.maintenance, *session.target, context, false);
        if (dropped) report.dropped.push_back({previous, "previous database", bytes});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused) throw;
        report.kept.push_back(one_line(previous) + ": " + error.message());
    }
    for (const report::Noted& note : context.report.notes)
        report.notes.push_back(note.object + ": " + note.text);
    co_return report;
}

} // namespace

Task<report::CleanupReport> cleanup(CleanupOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), cleanup_on_main(std::move(options), observer, loops));
}

report::CleanupReport cleanup_blocking(CleanupOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return cleanup_on_main(options, observer, loops); });
}

} // namespace pgsluice
