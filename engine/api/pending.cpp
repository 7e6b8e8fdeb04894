#include "api/pending.hpp"

#include "run/blocking.hpp"
#include "run/pending.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

Task<report::PendingReport> pending_on_main(PendingOptions options, report::Observer& observer,
                                            flow::Loops& loops) {
    RefreshOptions common;
    common.connect = options.connect;
    Context context(std::move(common), observer, loops, run::Sides::target);
    pq::Connection session = co_await run::open_target(context, context.target_database());
    report::PendingReport report;
    report.target = context.target_database();
    report.pending = co_await run::read_pending(session);
    report.rejected = co_await run::read_rejected(session);
    co_return report;
}

} // namespace

Task<report::PendingReport> pending(PendingOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), pending_on_main(std::move(options), observer, loops));
}

report::PendingReport pending_blocking(PendingOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return pending_on_main(options, observer, loops); });
}

} // namespace pgsluice
