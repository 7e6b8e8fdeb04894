#include "api/check.hpp"

#include <optional>

#include "base/error.hpp"
#include "run/blocking.hpp"
#include "run/rights.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

Task<report::CheckReport> check_on_main(RefreshOptions options, report::Observer& observer,
                                        flow::Loops& loops) {
    Context context(std::move(options), observer, loops);
    pq::Connection source = co_await run::open_source(context);
    pq::Connection target = co_await run::open_target(context, context.target_database());
    std::optional<pq::Connection> maintenance;
    std::string why;
    try {
        maintenance = co_await run::open_maintenance(context);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::usage) throw;
        why = error.message();
    }
    pq::Connection* beside = maintenance ? &*maintenance : nullptr;
    report::CheckReport report = co_await run::check_rights(context, source, target, beside);
    if (!why.empty()) report.notes.push_back(why);
    co_return report;
}

} // namespace

Task<report::CheckReport> check(RefreshOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), check_on_main(std::move(options), observer, loops));
}

report::CheckReport check_blocking(RefreshOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return check_on_main(options, observer, loops); });
}

} // namespace pgsluice
