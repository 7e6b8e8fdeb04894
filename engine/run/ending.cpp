#include "run/ending.hpp"

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "flow/stop.hpp"
#include "run/journal.hpp"
#include "run/new_database.hpp"
#include "run/pending.hpp"
#include "run/swap.hpp"

namespace pgsluice::run {

namespace {

// Everything that schema pgsluice remembers goes along, and says already what will be true when the swap
// commits.
Task<void> carry_memory(Context& context, pq::Connection& target, pq::Connection& session,
                        const model::Database* from_source, model::Oid target_oid) {
    co_await carry_journal(target, session);
    if (from_source != nullptr) {
        Identities identities = identities_of(*from_source, session.server_version());
        co_await write_identities(session, context.run_id, std::move(identities));
    }
    context.report.state = "swapped";
    context.report.previous = previous_database_name(context.target_database());
    context.report.finished = std::chrono::system_clock::now();
    context.report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    co_await end_run(session, context.run_id, "swapped", to_json(context.report, false),
                     context.report.previous, target_oid);
}

Task<void> keep_pending(Context& context, pq::Connection& target, pq::Connection& session, Merged merged) {
    const merge::Planned& planned = merged.catalogs.planned;
    tell_carried(context, planned.database, merged.loaded.pending);
    co_await carry_pending(target, session, merged.catalogs.drift.target_ahead());
    co_await write_pending(session, context.run_id, planned.pending);
    co_await write_pending(session, context.run_id, merged.loaded.pending);
    co_await try_pending(context, session, planned.database);
}

Task<void> swap_in(Context& context, pq::Connection& maintenance, pq::Connection& second, MergeTarget& own,
                   std::string incoming) {
    context.step("swapping");
    SwapNames names;
    names.target = context.target_database();
    names.incoming = std::move(incoming);
    names.previous = previous_database_name(context.target_database());
    const SwapResult result =
        co_await swap_databases(context, maintenance, second, names, own.last_session());
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
        co_await drop_database(maintenance, previous, previous_oid);
        context.note("database " + one_line(previous), "dropped, as --drop-previous says");
    } catch (const Error& error) {
        context.note("database " + one_line(previous), "could not be dropped now: " + one_line(error.what()));
    }
}

// The outcome as the journal of the database that now has the target's name keeps it: with the seconds of the
// swap.
Task<void> complete_journal(Context& context, model::Oid previous_oid) {
    try {
        pq::Connection session = co_await open_target(context, context.target_database());
        co_await end_run(session, context.run_id, "swapped", to_json(context.report, false),
                         context.report.previous, previous_oid);
    } catch (const std::exception& error) {
        context.note("pgsluice.run", "holds the report as it was before the swap: " + one_line(error.what()));
    }
}

} // namespace

Task<void> finish(Context& context, RunSessions& sessions, MergeTarget& own, Merged merged, Made& made) {
    co_await keep_pending(context, *sessions.target, *sessions.inside, merged);
    const std::optional<DatabaseFacts> old =
        co_await find_database(sessions.maintenance, context.target_database());
    if (!old) throw Error{ErrorKind::refused, "the target has gone while its copy was built"};
    co_await own.late(merged.catalogs.planned.database);
    std::vector<RowsBehind> behind = rows_behind_of_plan(merged.catalogs);
    behind.insert(behind.end(), merged.loaded.rows_behind.begin(), merged.loaded.rows_behind.end());
    for (report::LosingTable& table : tables_left_behind(merged.catalogs, behind))
        context.report.merge.only_in_previous.push_back(std::move(table));
    co_await keep_rows_behind(context, own.session(), *sessions.inside, std::move(behind));
    co_await carry_memory(context, *sessions.target, *sessions.inside, merged.from_source, old->oid);
    // The swap waits for every session in either database.
    std::string incoming = sessions.inside->conninfo().database();
    sessions.inside.reset();
    own.close_inside();
    sessions.target.reset();
    co_await swap_in(context, sessions.maintenance, sessions.second, own, std::move(incoming));
    made = Made{};
    // The job is done: a signal from here on must not make it look undone, or a retry would drop the true
    // previous.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await complete_journal(context, old->oid);
    co_await after_swap(context, sessions.maintenance, old->oid);
}

} // namespace pgsluice::run
