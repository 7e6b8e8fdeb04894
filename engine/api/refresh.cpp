#include "api/refresh.hpp"

#include <algorithm>
#include <optional>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "flow/join.hpp"
#include "flow/stop.hpp"
#include "run/blocking.hpp"
#include "run/build.hpp"
#include "run/carry_history.hpp"
#include "run/ending.hpp"
#include "run/fingerprint.hpp"
#include "run/guard.hpp"
#include "run/journal.hpp"
#include "run/lanes.hpp"
#include "run/merge_migrated.hpp"
#include "run/merge_target.hpp"
#include "run/migrate_command.hpp"
#include "run/new_database.hpp"
#include "run/properties.hpp"
#include "run/readable.hpp"
#include "run/rights.hpp"
#include "run/rows_behind.hpp"
#include "run/run_lock.hpp"
#include "run/source.hpp"
#include "run/story.hpp"
#include "run/swap.hpp"
#include "run/waiting.hpp"

namespace pgsluice {

namespace {

using run::Context;
using run::Made;

Task<void> refuse_before_any_write(Context& context, run::Source& source, pq::Connection& target,
                                   pq::Connection& maintenance) {
    co_await run::guard_same_database(context, source.leader(), target);
    co_await run::guard_exchanged(context, source.leader());
    co_await run::guard_mark(context, target);
    const report::CheckReport rights =
        co_await run::check_rights(context, source.leader(), target, &maintenance);
    for (const std::string& note : rights.notes) context.note("check", note);
    for (const std::string& doing_without : run::done_without(rights)) context.note("check", doing_without);
    run::refuse_missing_rights(rights);
    co_await run::refuse_bound_database(maintenance, context.target_database());
    co_await run::drop_previous(maintenance, target, context, true);
    co_await run::refuse_waiting(context, maintenance, target);
}

// Creates the database beside the target; the run's line is committed before, so that a killed run's database
// is known to the next one.
Task<void> begin_build(Context& context, pq::Connection& maintenance, pq::Connection& target,
                       const run::Catalogs& catalogs, Made& made) {
    co_await run::create_journal(target);
    const std::vector<std::string> waited = co_await run::discard_waiting(context, maintenance, target);
    for (const std::string& name : waited)
        context.note("database " + one_line(name), "waited for its swap: dropped");
    co_await run::drop_leftovers(maintenance, target, context);
    const std::vector<report::LosingTable> only_there = co_await run::recorded_only_in_previous(target);
    const bool had_previous = co_await run::drop_previous(maintenance, target, context, false);
    if (had_previous)
        run::tell_gone_with_previous(context, previous_database_name(context.target_database()), only_there);
    run::RunLine line;
    line.run_id = context.run_id;
    line.command = "refresh";
    line.state = "running";
    line.source = context.report.source;
    line.database = beside_database_name(context.target_database(), context.run_id);
    made.journal = true;
    co_await run::begin_run(target, line);
    made.database = line.database;
    made.oid = co_await run::create_beside(maintenance, context, catalogs.target.properties, line.database);
}

// The whole planned database in one graph: the source's schema, and what is the target's own.
Task<void> load_whole(Context& context, run::Source& source, const run::Catalogs& catalogs,
                      run::RunSessions& sessions, run::MergeTarget& own, int lanes, Made& made) {
    const run::LoadMerge load = co_await own.prepare(catalogs, made.database);
    run::Loaded loaded = co_await run::load(context, &source, catalogs, *sessions.inside, lanes, load);
    if (catalogs.drift.decision.action == merge::DriftAction::carry)
        (void)co_await run::carry_histories(context, *sessions.target, *sessions.inside,
                                            catalogs.drift.differences);
    co_await run::verify_catalog(context, catalogs.planned.database, loaded.pending, *sessions.inside);
    co_await run::copy_properties(sessions.maintenance, context, catalogs.target.properties, made.database);
    run::Merged merged{catalogs, loaded, &catalogs.planned.database};
    co_await run::finish(context, sessions, own, merged, made);
}

// The run's line says that it waits, and all that the command swap needs.
Task<void> leave_waiting(Context& context, run::RunSessions& sessions, const run::Catalogs& catalogs,
                         Made& made) {
    run::Identities built_of =
        run::identities_of(catalogs.planned.database, sessions.inside->server_version());
    co_await run::write_identities(*sessions.inside, context.run_id, std::move(built_of));
    const run::Fingerprint built =
        co_await run::read_fingerprint(*sessions.inside, context.options.lock_timeout);
    report::WaitingReport waiting;
    waiting.database = made.database;
    waiting.fingerprint = run::fingerprint_of(catalogs.target).text();
    waiting.built = built.text();
    waiting.histories = run::history_mark(catalogs.drift.target);
    waiting.options = run::waiting_options(context.options);
    context.report.waiting = std::move(waiting);
    context.report.state = run::waiting_state;
    context.report.finished = std::chrono::system_clock::now();
    context.report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    const std::string report = to_json(context.report, false);
    co_await run::end_run(*sessions.target, context.run_id, context.report.state, report, "", 0);
    made = Made{};
}

// The shared part alone, then what --migrate makes of it; what is the target's own is merged against that:
// now, or by the command swap.
Task<void> load_shared_first(Context& context, run::Source& source, const run::Catalogs& catalogs,
                             run::RunSessions& sessions, run::MergeTarget& own, int lanes, Made& made) {
    own.close(); // nothing of the target is read for a while: its snapshot must not hold back its vacuum
    const run::LoadMerge nothing;
    (void)co_await run::load(context, &source, catalogs, *sessions.inside, lanes, nothing);
    std::vector<merge::Pending> no_pending;
    co_await run::verify_catalog(context, catalogs.planned.database, no_pending, *sessions.inside);
    co_await run::copy_properties(sessions.maintenance, context, catalogs.target.properties, made.database);
    if (catalogs.drift.decision.action == merge::DriftAction::migrate)
        co_await run::migrate(context, made.database);
    if (!context.options.swap) {
        co_await leave_waiting(context, sessions, catalogs, made);
        co_return;
    }
    co_await own.open();
    run::MigratedInput input;
    input.fingerprint = run::fingerprint_of(catalogs.target).text();
    input.histories = run::history_mark(catalogs.drift.target);
    input.built = run::identities_of(catalogs.planned.database, sessions.inside->server_version());
    const run::Catalogs migrated = co_await run::read_migrated(context, own, sessions, input);
    const run::Loaded loaded = co_await run::merge_migrated(context, own, sessions, migrated);
    run::Merged merged{migrated, loaded, &catalogs.planned.database};
    co_await run::finish(context, sessions, own, merged, made);
}

Task<void> steps_with_source(Context& context, Made& made, run::Source& source, run::RunSessions& sessions);

Task<void> refresh_steps(Context& context, Made& made) {
    report::RunStarted started;
    started.run_id = context.run_id;
    started.command = "refresh";
    started.source = context.report.source;
    started.target = context.report.target;
    context.emit(started);

    context.step("connecting");
    pq::Connection target = co_await run::open_target(context, context.target_database());
    pq::Connection maintenance = co_await run::open_maintenance(context);
    co_await run::take_run_lock(maintenance, context.target_database());
    pq::Connection second = co_await run::open_maintenance(context);
    run::RunSessions sessions{std::move(target), std::nullopt, std::move(maintenance), std::move(second)};
    run::Source source = co_await run::Source::open(context);
    // From the first lock to the last one released; giving way stops the steps.
    co_await flow::join(source.watch(), steps_with_source(context, made, source, sessions));
}

Task<void> steps_with_source(Context& context, Made& made, run::Source& source, run::RunSessions& sessions) {
    context.step("checking rights and guards");
    co_await refuse_before_any_write(context, source, *sessions.target, sessions.maintenance);
    run::MergeTarget own(context);
    co_await own.open();

    const run::Catalogs catalogs =
        co_await run::read_catalogs(context, source, *sessions.target, own.snapshot());
    // What is merged after a migration is planned after it.
    const merge::RowPlan no_rows_yet;
    if (catalogs.stage == run::Catalogs::Stage::whole)
        co_await own.plan(catalogs);
    else
        co_await run::refuse_unreadable_rows(context, *sessions.target, catalogs, no_rows_yet);
    const auto& tables = catalogs.planned.database.rows;
    const bool rows_of_target =
        std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.from_target; });
    const int lanes = co_await run::choose_lanes(context, &source.leader(), *sessions.target, rows_of_target);
    context.step("locking the source's tables");
    co_await source.lock_tables(catalogs.source);
    co_await source.check_unchanged(catalogs.source);

    context.step("creating the new database");
    co_await begin_build(context, sessions.maintenance, *sessions.target, catalogs, made);
    sessions.inside = co_await run::open_target(context, made.database);
    co_await run::create_journal(*sessions.inside);
    context.step("loading");
    if (catalogs.stage == run::Catalogs::Stage::shared_part)
        co_await load_shared_first(context, source, catalogs, sessions, own, lanes, made);
    else
        co_await load_whole(context, source, catalogs, sessions, own, lanes, made);
}

Task<RefreshReport> refresh_on_main(RefreshOptions options, Observer& observer, flow::Loops& loops) {
    Context context(std::move(options), observer, loops);
    run::check_migrate_command(context);
    Made made;
    co_return co_await run::tell_story(context, made, refresh_steps(context, made));
}

int lane_loops(const RefreshOptions& options) {
    const int lanes = options.jobs > 0 ? options.jobs : limits::lanes_default_max;
    return std::min(lanes, usable_cores());
}

} // namespace

Task<RefreshReport> refresh(RefreshOptions options, Observer& observer) {
    flow::Loops loops(lane_loops(options), usable_cores());
    co_return co_await flow::on(loops.main(), refresh_on_main(std::move(options), observer, loops));
}

RefreshReport refresh_blocking(RefreshOptions options, Observer& observer) {
    return run::run_blocked(lane_loops(options), options.connect.stop,
                            [&](flow::Loops& loops) { return refresh_on_main(options, observer, loops); });
}

} // namespace pgsluice
