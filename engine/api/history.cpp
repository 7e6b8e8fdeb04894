#include "api/history.hpp"

#include "run/blocking.hpp"
#include "run/journal.hpp"
#include "run/target_session.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

Task<report::HistoryReport> history_on_main(HistoryOptions options, report::Observer& observer,
                                            flow::Loops& loops) {
    RefreshOptions common;
    common.connect = options.connect;
    Context context(std::move(common), observer, loops, run::Sides::target);
    pq::Connection session = co_await run::open_target(context, context.target_database());
    report::HistoryReport report;
    report.target = context.target_database();
    for (const run::RunLine& line : co_await run::read_runs(session)) {
        if (static_cast<int>(report.runs.size()) >= options.runs_max) break;
        report::HistoryEntry entry;
        entry.run_id = line.run_id;
        entry.state = line.state;
        entry.source = line.source;
        entry.started = line.started_at;
        entry.finished = line.finished_at;
        entry.report_json = line.report;
        report.runs.push_back(std::move(entry));
    }
    co_return report;
}

} // namespace

Task<report::HistoryReport> history(HistoryOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), history_on_main(std::move(options), observer, loops));
}

report::HistoryReport history_blocking(HistoryOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return history_on_main(options, observer, loops); });
}

} // namespace pgsluice
