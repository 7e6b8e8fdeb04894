#include "api/rollback.hpp"

#include <functional>

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "run/blocking.hpp"
#include "run/journal.hpp"
#include "run/new_database.hpp"
#include "run/swap.hpp"
#include "run/target_session.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

// Both databases remember the exchange as a run of its own: whichever has the target's name later knows the
// other's oid.
Task<void> write_line(pq::Connection& session, Context& context, model::Oid previous_oid) {
    co_await run::create_journal(session);
    // The run that moved this database away could not tell it any more how it ended.
    const std::string ended = "update pgsluice.run set state = 'swapped' where state = 'running'";
    co_await session.command(ended);
    run::RunLine line;
    line.run_id = context.run_id;
    line.command = "rollback";
    line.state = "running";
    co_await run::begin_run(session, line);
    co_await run::end_run(session, context.run_id, "rolled back", "",
                          previous_database_name(context.target_database()), previous_oid);
}

Task<report::RollbackReport> rollback_on_main(RollbackOptions options, report::Observer& observer,
                                              flow::Loops& loops) {
    RefreshOptions common;
    common.connect = options.connect;
    common.allow_target = options.allow_target;
    Context context(std::move(common), observer, loops, run::Sides::target);
    context.step("connecting");
    run::TargetSession session = co_await run::open_target_session(context, true);
    const std::string previous = previous_database_name(context.target_database());
    const std::optional<run::DatabaseFacts> found =
        co_await run::find_database(session.maintenance, previous);
    const std::optional<model::Oid> recorded = co_await run::recorded_previous(*session.target);
    if (!found)
        throw Error{ErrorKind::refused, "there is no previous database to go back to"}
            .object("database " + one_line(previous))
            .hint("the last run dropped it, or none has swapped yet: pgsluice history --target ... shows the "
                  "runs");
    if (!recorded || *recorded != found->oid)
        throw Error{ErrorKind::refused,
                    "the database with the previous one's name was not moved there by a run"}
            .object("database " + one_line(previous))
            .hint("look into it; if it is the right one, rename both databases by hand");
    const std::optional<run::DatabaseFacts> now =
        co_await run::find_database(session.maintenance, context.target_database());
    if (!now) throw Error{ErrorKind::internal, "the target has no entry in pg_database"};
    co_await run::refuse_bound_database(session.maintenance, context.target_database());
    co_await run::refuse_bound_database(session.maintenance, previous);

    context.step("exchanging the two databases");
    {
        pq::Connection incoming = co_await run::open_target(context, previous);
        co_await write_line(incoming, context, now->oid);
    }
    run::SwapNames names;
    names.target = context.target_database();
    names.incoming = previous;
    names.previous = previous;
    pq::Connection second = co_await run::open_maintenance(context);
    session.target.reset();
    run::LastSession none; // nothing is lost: both databases stay
    const run::SwapResult result =
        co_await run::swap_databases(context, session.maintenance, second, names, none);
    report::RollbackReport report;
    report.target = context.target_database();
    report.previous = previous;
    report.seconds_away = std::chrono::duration<double>(result.away).count();
    for (const report::Noted& note : context.report.notes)
        report.notes.push_back(note.object + ": " + note.text);
    co_return report;
}

} // namespace

Task<report::RollbackReport> rollback(RollbackOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), rollback_on_main(std::move(options), observer, loops));
}

report::RollbackReport rollback_blocking(RollbackOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return rollback_on_main(options, observer, loops); });
}

} // namespace pgsluice
