#include "api/swap.hpp"

#include <algorithm>
#include <utility>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/blocking.hpp"
#include "run/ending.hpp"
#include "run/guard.hpp"
#include "run/journal.hpp"
#include "run/merge_migrated.hpp"
#include "run/new_database.hpp"
#include "run/rows_behind.hpp"
#include "run/run_lock.hpp"
#include "run/story.hpp"
#include "run/swap.hpp"
#include "run/waiting.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

constexpr const char* build_anew = "pgsluice refresh --no-swap --discard-waiting drops it and builds it "
                                   "anew, pgsluice cleanup only drops it";

Task<run::WaitingRun> find_the_waiting(Context& context, run::RunSessions& sessions) {
    const std::vector<run::WaitingRun> runs =
        co_await run::find_waiting(sessions.maintenance, *sessions.target, context.target_database());
    for (const run::WaitingRun& found : runs) {
        if (found.oid == 0) continue;
        if (!found.half_merged) co_return found;
        throw Error{ErrorKind::refused, "the waiting database is half merged: a swap of it has failed"}
            .object("database " + one_line(found.database))
            .hint(build_anew);
    }
    Error error{ErrorKind::refused, "no database waits for its swap"};
    error.object("database " + one_line(context.target_database()));
    if (!runs.empty())
        error.detail("database " + one_line(runs.front().database) + " of run " + runs.front().run_id +
                     ", which waited, is gone");
    throw error.hint("pgsluice refresh --no-swap builds one");
}

// From here on the waiting database is neither what was built nor what will be. It stays all the same when
// the swap fails: only a person drops it.
Task<void> begin_merging(Context& context, run::RunSessions& sessions, const run::WaitingRun& waiting) {
    const std::string sql = "update pgsluice.run set state = " + pq::quote_literal(run::merging_state) +
                            " where run_id = " + pq::quote_literal(waiting.run_id);
    co_await sessions.target->command(sql);
    context.step("the waiting database is " + one_line(waiting.database));
}

Task<void> refuse_before_merging(Context& context, run::RunSessions& sessions,
                                 const run::WaitingRun& waiting) {
    co_await run::guard_mark(context, *sessions.target);
    co_await run::refuse_bound_database(sessions.maintenance, context.target_database());
    co_await run::refuse_bound_database(sessions.maintenance, waiting.database);
    // The run that built it dropped the previous one; whatever has its name now is in the way.
    co_await run::drop_previous(sessions.maintenance, *sessions.target, context, true);
}

Task<void> swap_steps(Context& context, run::Made& made) {
    report::RunStarted started;
    started.command = "swap";
    started.target = context.report.target;
    context.step("connecting");
    pq::Connection target = co_await run::open_target(context, context.target_database());
    pq::Connection maintenance = co_await run::open_maintenance(context);
    co_await run::take_run_lock(maintenance, context.target_database());
    pq::Connection second = co_await run::open_maintenance(context);
    run::RunSessions sessions{std::move(target), std::nullopt, std::move(maintenance), std::move(second)};
    const run::WaitingRun waiting = co_await find_the_waiting(context, sessions);
    const report::WaitingReport recorded = report::read_waiting_report(waiting.waiting);
    context.run_id = context.report.run_id = started.run_id = waiting.run_id;
    context.report.source = started.source = waiting.source;
    context.emit(started);
    run::apply_waiting_options(recorded.options, context.options);
    for (report::TableReport& table : report::read_table_reports(waiting.tables)) {
        context.report.rows += table.rows;
        context.report.bytes += table.bytes;
        context.report.tables.push_back(std::move(table));
    }

    context.step("checking guards");
    co_await refuse_before_merging(context, sessions, waiting);
    sessions.inside = co_await run::open_target(context, waiting.database);
    run::MergeTarget own(context);
    co_await own.open();
    const run::Fingerprint now =
        co_await run::read_fingerprint(*sessions.inside, context.options.lock_timeout);
    run::MigratedInput input;
    input.fingerprint = recorded.fingerprint;
    input.histories = recorded.histories;
    input.built = co_await run::read_identities(*sessions.inside);
    input.migrated = now.text() != recorded.built;
    const run::Catalogs catalogs = co_await run::read_migrated(context, own, sessions, input);
    const std::vector<report::LosingTable> only_there =
        co_await run::recorded_only_in_previous(*sessions.target);
    const bool had_previous =
        co_await run::drop_previous(sessions.maintenance, *sessions.target, context, false);
    if (had_previous)
        run::tell_gone_with_previous(context, previous_database_name(context.target_database()), only_there);
    co_await begin_merging(context, sessions, waiting);
    try {
        const run::Loaded loaded = co_await run::merge_migrated(context, own, sessions, catalogs);
        run::Merged merged{catalogs, loaded, nullptr};
        co_await run::finish(context, sessions, own, merged, made);
    } catch (Error& error) {
        const bool disk_full = error.sqlstate() == "53100";
        if (disk_full) made = {.database = waiting.database, .oid = waiting.oid, .journal = true};
        if (error.kind() != ErrorKind::attention)
            error.hint((error.hint().empty() ? "" : error.hint() + "; ") + "the target is as it was; " +
                       (disk_full ? "the waiting database is dropped, so that the disk has room again"
                                  : "the waiting database is half merged: " + std::string(build_anew)));
        throw;
    }
}

Task<report::RefreshReport> swap_on_main(SwapOptions options, report::Observer& observer,
                                         flow::Loops& loops) {
    RefreshOptions common;
    common.connect = options.connect;
    common.allow_target = options.allow_target;
    common.preserve = options.preserve;
    common.references = options.references;
    common.keep = options.keep;
    common.keep_deleted = options.keep_deleted;
    common.keep_previous = options.keep_previous;
    common.strict = options.strict;
    common.lock_timeout = options.lock_timeout;
    Context context(std::move(common), observer, loops, run::Sides::target);
    run::Made made;
    co_return co_await run::tell_story(context, made, swap_steps(context, made));
}

int lanes() { return std::min(limits::lanes_default_max, usable_cores()); }

} // namespace

Task<report::RefreshReport> swap_waiting(SwapOptions options, report::Observer& observer) {
    flow::Loops loops(lanes(), usable_cores());
    co_return co_await flow::on(loops.main(), swap_on_main(std::move(options), observer, loops));
}

report::RefreshReport swap_waiting_blocking(SwapOptions options, report::Observer& observer) {
    return run::run_blocked(lanes(), options.connect.stop,
                            [&](flow::Loops& loops) { return swap_on_main(options, observer, loops); });
}

} // namespace pgsluice
