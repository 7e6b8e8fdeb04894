#include "api/refresh.hpp"

#include <algorithm>
#include <optional>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "flow/join.hpp"
#include "flow/stop.hpp"
#include "run/blocking.hpp"
#include "run/build.hpp"
#include "run/guard.hpp"
#include "run/journal.hpp"
#include "run/lanes.hpp"
#include "run/merge_target.hpp"
#include "run/new_database.hpp"
#include "run/pending.hpp"
#include "run/properties.hpp"
#include "run/rights.hpp"
#include "run/run_lock.hpp"
#include "run/source.hpp"
#include "run/swap.hpp"

namespace pgsluice {

namespace {

using run::Context;

constexpr int clean_up_attempts = 20;

// What a run has made so far, for cleaning up after a failure.
struct Made {
    std::string database;
    model::Oid oid = 0;
    bool journal = false;
};

Task<void> refuse_before_any_write(Context& context, run::Source& source, pq::Connection& target,
                                   pq::Connection& maintenance) {
    co_await run::guard_same_database(context, source.leader(), target);
    co_await run::guard_mark(context, target);
    const report::CheckReport rights =
        co_await run::check_rights(context, source.leader(), target, &maintenance);
    for (const std::string& note : rights.notes) context.note("check", note);
    run::refuse_missing_rights(rights);
    co_await run::refuse_bound_database(maintenance, context.target_database());
    co_await run::drop_previous(maintenance, target, context, true);
}

// Creates the database beside the target; the run's line is committed before, so that a killed run's database
// is known to the next one.
Task<void> begin_build(Context& context, pq::Connection& maintenance, pq::Connection& target,
                       const run::Catalogs& catalogs, Made& made) {
    co_await run::create_journal(target);
    co_await run::drop_leftovers(maintenance, target, context);
    const bool had_previous = co_await run::drop_previous(maintenance, target, context, false);
    if (had_previous)
        context.note("database " + one_line(previous_database_name(context.target_database())),
                     "of the run before: dropped");
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

// Everything that schema pgsluice remembers goes along, and says already what will be true when the swap
// commits.
Task<void> carry_memory(Context& context, pq::Connection& target, pq::Connection& session,
                        const run::Catalogs& catalogs, model::Oid target_oid) {
    co_await run::carry_journal(target, session);
    co_await run::write_identities(session, context.run_id, catalogs.planned.database);
    context.report.state = "swapped";
    context.report.previous = previous_database_name(context.target_database());
    context.report.finished = std::chrono::system_clock::now();
    context.report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    co_await run::end_run(session, context.run_id, "swapped", to_json(context.report, false),
                          context.report.previous, target_oid);
}

// What could not come along now, and what could not before.
Task<void> carry_pending(Context& context, pq::Connection& target, pq::Connection& session,
                         const merge::Planned& planned,
                         const std::vector<pgsluice::merge::Pending>& not_made) {
    run::tell_carried(context, planned.database, not_made);
    co_await run::carry_pending(target, session);
    co_await run::write_pending(session, context.run_id, planned.pending);
    co_await run::write_pending(session, context.run_id, not_made);
    co_await run::try_pending(context, session, planned.database);
}

Task<void> swap_in(Context& context, pq::Connection& maintenance, pq::Connection& second,
                   run::MergeTarget& own, const Made& made) {
    context.step("swapping");
    run::SwapNames names;
    names.target = context.target_database();
    names.incoming = made.database;
    names.previous = previous_database_name(context.target_database());
    const run::SwapResult result =
        co_await run::swap_databases(context, maintenance, second, names, own.last_session());
    context.report.seconds_away = std::chrono::duration<double>(result.away).count();
    report::Swapped swapped;
    swapped.previous = names.previous;
    swapped.away = result.away;
    context.emit(swapped);
}

Task<void> after_swap(Context& context, pq::Connection& maintenance, model::Oid previous_oid) {
    if (context.options.keep_previous) co_return;
    const std::string previous = previous_database_name(context.target_database());
    try {
        co_await run::drop_database(maintenance, previous, previous_oid);
        context.note("database " + one_line(previous), "dropped, as --drop-previous says");
    } catch (const Error& error) {
        context.note("database " + one_line(previous), "could not be dropped now: " + one_line(error.what()));
    }
}

// The failure is told to the target's journal and the new database goes, so that the target is as it was.
Task<void> drop_what_was_made(Context& context, const Made& made) {
    if (!made.database.empty()) {
        pq::Connection maintenance = co_await run::open_maintenance(context);
        const std::optional<run::DatabaseFacts> found =
            co_await run::find_database(maintenance, made.database);
        if (found) co_await run::drop_database(maintenance, made.database, found->oid);
    }
    pq::Connection target = co_await run::open_target(context, context.target_database());
    co_await run::end_run(target, context.run_id, context.report.state, to_json(context.report, false), "",
                          0);
}

Task<void> drop_when_it_answers(Context& context, const Made& made) {
    for (int attempt = 1;; ++attempt) {
        bool away = false;
        try {
            co_await drop_what_was_made(context, made);
        } catch (const Error& error) {
            away = error.kind() == ErrorKind::connection;
            if (!away || attempt >= clean_up_attempts) throw;
        }
        if (!away) co_return;
        co_await flow::sleep_for(std::chrono::seconds(1));
    }
}

Task<void> clean_up(Context& context, const Made& made, bool stopped) {
    if (!made.journal) co_return;
    // Whoever stops us waits five seconds and then kills; a failed run may take its time.
    const flow::Duration limit =
        stopped ? flow::Duration(limits::stop_grace) : limits::statement_timeout_default;
    // A server that was restarted answers again soon; whoever stops us does not wait for that.
    Task<void> work = stopped ? drop_what_was_made(context, made) : drop_when_it_answers(context, made);
    try {
        co_await flow::with_timeout(std::move(work), limit, "cleaning up");
    } catch (const std::exception& error) {
        context.note("database " + one_line(made.database),
                     "could not be cleaned up now, the next run or pgsluice cleanup does: " +
                         one_line(error.what()));
    }
}

// The outcome as the journal of the database that now has the target's name keeps it: with the seconds of the
// swap.
Task<void> complete_journal(Context& context, model::Oid previous_oid) {
    try {
        pq::Connection session = co_await run::open_target(context, context.target_database());
        co_await run::end_run(session, context.run_id, "swapped", to_json(context.report, false),
                              context.report.previous, previous_oid);
    } catch (const std::exception& error) {
        context.note("pgsluice.run", "holds the report as it was before the swap: " + one_line(error.what()));
    }
}

Task<void> steps_with_source(Context& context, Made& made, run::Source& source,
                             std::optional<pq::Connection>& target, pq::Connection& maintenance,
                             pq::Connection& second);

Task<void> refresh_steps(Context& context, Made& made) {
    report::RunStarted started;
    started.run_id = context.run_id;
    started.command = "refresh";
    started.source = context.report.source;
    started.target = context.report.target;
    context.emit(started);

    context.step("connecting");
    std::optional<pq::Connection> target = co_await run::open_target(context, context.target_database());
    pq::Connection maintenance = co_await run::open_maintenance(context);
    co_await run::take_run_lock(maintenance, context.target_database());
    // Every session that the end needs is opened now: tokens of managed services are checked at login and
    // live minutes.
    pq::Connection second = co_await run::open_maintenance(context);
    run::Source source = co_await run::Source::open(context);
    // From the first lock to the last one released; giving way stops the steps.
    co_await flow::join(source.watch(),
                        steps_with_source(context, made, source, target, maintenance, second));
}

Task<void> steps_with_source(Context& context, Made& made, run::Source& source,
                             std::optional<pq::Connection>& target, pq::Connection& maintenance,
                             pq::Connection& second) {
    context.step("checking rights and guards");
    co_await refuse_before_any_write(context, source, *target, maintenance);
    run::MergeTarget own(context);
    co_await own.open();

    const run::Catalogs catalogs = co_await run::read_catalogs(context, source, *target, own.snapshot());
    own.plan(catalogs);
    const auto& tables = catalogs.planned.database.rows;
    const bool rows_of_target =
        std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.from_target; });
    const int lanes = co_await run::choose_lanes(context, &source.leader(), *target, rows_of_target);
    context.step("locking the source's tables");
    co_await source.lock_tables(catalogs.source);
    co_await source.check_unchanged(catalogs.source);

    context.step("creating the new database");
    co_await begin_build(context, maintenance, *target, catalogs, made);
    std::optional<pq::Connection> inside = co_await run::open_target(context, made.database);
    context.step("loading");
    co_await run::create_journal(*inside);
    const run::LoadMerge load = co_await own.prepare(catalogs, made.database);
    const std::vector<merge::Pending> not_made =
        co_await run::load(context, &source, catalogs, *inside, lanes, load);
    co_await run::verify_catalog(context, catalogs.planned.database, not_made, *inside);
    co_await carry_pending(context, *target, *inside, catalogs.planned, not_made);
    co_await run::copy_properties(maintenance, context, catalogs.target.properties, made.database);
    const std::optional<run::DatabaseFacts> old =
        co_await run::find_database(maintenance, context.target_database());
    if (!old) throw Error{ErrorKind::refused, "the target has gone while its copy was built"};
    co_await own.late(catalogs.planned.database);
    co_await carry_memory(context, *target, *inside, catalogs, old->oid);
    // The swap waits for every session in either database.
    inside.reset();
    own.close_inside();
    target.reset();
    co_await swap_in(context, maintenance, second, own, made);
    made = Made{};
    // The job is done: a signal from here on must not make it look undone, or a retry would drop the true
    // previous.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await complete_journal(context, old->oid);
    co_await after_swap(context, maintenance, old->oid);
}

// A cancellation has no words of its own.
std::exception_ptr in_words(const Context& context, std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) return failure;
        Error stopped = context.options.connect.stop.error();
        stopped.hint("the target is as it was; run again");
        return std::make_exception_ptr(stopped);
    } catch (...) {
        return failure;
    }
}

// Message, SQLSTATE and hint of the failure into the report, before the journal keeps it. Whether it was a
// stop.
bool record_outcome(Context& context, const std::exception_ptr& failure) {
    context.report.finished = std::chrono::system_clock::now();
    context.report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    context.report.state = failure ? "failed" : "swapped";
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        context.report.error = error.message();
        context.report.error_sqlstate = error.sqlstate();
        context.report.error_object = error.object();
        context.report.error_hint = error.hint();
        if (error.kind() == ErrorKind::stopped) context.report.state = "stopped";
    } catch (const std::exception& error) {
        context.report.error = error.what();
    }
    return context.report.state == "stopped";
}

// Then nothing may be dropped, and the journal that may be in the target by now says what is true.
bool may_have_swapped(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::attention;
    } catch (...) {
        return false;
    }
}

void announce_end(Context& context, const std::exception_ptr& failure) {
    report::RunFinished finished;
    finished.took = std::chrono::steady_clock::now() - context.began;
    finished.succeeded = failure == nullptr;
    if (failure) finished.text = describe(failure);
    finished.report = &context.report;
    context.emit(finished);
}

Task<RefreshReport> refresh_on_main(RefreshOptions options, Observer& observer, flow::Loops& loops) {
    Context context(std::move(options), observer, loops);
    Made made;
    std::exception_ptr failure;
    try {
        co_await refresh_steps(context, made);
    } catch (...) {
        failure = in_words(context, std::current_exception());
    }
    const bool stopped = record_outcome(context, failure);
    if (failure && !may_have_swapped(failure)) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_await flow::uninterrupted(clean_up(context, made, stopped));
    }
    announce_end(context, failure);
    if (failure) std::rethrow_exception(failure);
    co_return context.report;
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
