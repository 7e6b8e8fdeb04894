#include "run/swap.hpp"

#include <charconv>
#include <exception>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "flow/join.hpp"
#include "flow/stop.hpp"
#include "pq/quote.hpp"
#include "run/new_database.hpp"

namespace pgsluice::run {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using pq::quote_identifier;
using pq::quote_literal;

constexpr int swap_attempts = 5;
constexpr int outcome_attempts = 30;
constexpr auto attempt_pause = 2s;
constexpr auto foreign_sessions_wait = 30s; // before any session is ended
constexpr auto poll_pause = 20ms;
constexpr auto rename_limit = 30s; // the server itself gives up after 5 s of other sessions
constexpr auto closing_limit =
    3s; // of these, the time after which our last session stays for another attempt

std::string display(const std::string& name) { return "database " + one_line(name); }

std::string rename_sql(const std::string& from, const std::string& to) {
    return "alter database " + quote_identifier(from) + " rename to " + quote_identifier(to);
}

// Which sessions (a: pg_stat_activity, r: pg_roles) our role may end: those of roles it is a member of, and
// with pg_signal_backend all but superusers'.
constexpr std::string_view may_end =
    "coalesce(pg_catalog.pg_has_role(a.usesysid, 'MEMBER'), false) or "
    "(not coalesce(r.rolsuper, true) and pg_catalog.pg_has_role('pg_signal_backend', 'MEMBER'))";

// Autovacuum workers are no sessions: the rename cancels them itself. Background workers write like any
// client. backend_type is hidden from roles that may not read others' statistics; whoever has a user counts
// then.
constexpr std::string_view is_session =
    "(a.backend_type <> 'autovacuum worker' or (a.backend_type is null and a.usesysid is not null))";

std::string unendable_sql(const std::string& databases) {
    return "select a.pid, a.usename, a.application_name from pg_catalog.pg_stat_activity a "
           "left join pg_catalog.pg_roles r on r.oid = a.usesysid "
           "where a.datname in (" +
           databases + ") and a.pid <> pg_catalog.pg_backend_pid() and " + std::string(is_session) +
           " and not (" + std::string(may_end) + ") order by a.pid limit 5";
}

Task<void> wait_for_unendable_sessions(Context& context, pq::Connection& b, std::string database) {
    bool told = false;
    const std::string sql = unendable_sql(quote_literal(database));
    const Clock::time_point deadline = Clock::now() + foreign_sessions_wait;
    for (;;) {
        const pq::Rows rows = co_await b.rows(sql);
        if (rows.empty()) co_return;
        std::vector<std::string> who;
        for (std::size_t i = 0; i < rows.size(); ++i)
            who.push_back(fmt::format("{} ({} {})", rows.at(i, "pid"), one_line(rows.at(i, "usename")),
                                      one_line(rows.at(i, "application_name"))));
        if (!std::exchange(told, true))
            context.step("waiting for sessions that this role may not end: " + join(who, ", "));
        if (Clock::now() >= deadline)
            throw Error{ErrorKind::refused, "sessions that this role may not end are in the way of the swap"}
                .object(display(database))
                .detail("server processes: " + join(who, ", "))
                .hint("close them, or GRANT pg_signal_backend or their role to this role (superusers' "
                      "sessions only a "
                      "superuser can end)");
        co_await flow::sleep_for(1s);
    }
}

// What the two coroutines of one attempt tell each other; both run on the main loop.
struct Attempt {
    SwapNames names;
    std::string middle; // where the target's name goes when previous is still taken by `incoming`
    bool renamed = false;
    std::exception_ptr failure; // of A; thrown in the join it would tear B from the middle of a query
    std::exception_ptr refusal; // of the last look before our last session closed
    bool in_the_way = false;    // a session that may not be ended came too late to be waited for
    bool closed = false;        // our last session
    Clock::time_point locked{};
    int sessions_ended = 0;

    bool open() const { return !renamed && !failure; } // A is still at its renames
    std::string databases() const {
        return quote_literal(names.target) + ", " + quote_literal(names.incoming);
    }
};

// Each rename takes its database's lock, waits for the sessions in it to be gone (5 s at most) and keeps new
// logins waiting meanwhile.
Task<void> rename_all(pq::Connection& a, Attempt& attempt) {
    const std::string first = rename_sql(attempt.names.target, attempt.middle);
    const std::string second = rename_sql(attempt.names.incoming, attempt.names.target);
    const std::string third = rename_sql(attempt.middle, attempt.names.previous);
    try {
        co_await a.command(first, rename_limit);
        co_await a.command(second, rename_limit);
        if (attempt.middle != attempt.names.previous) co_await a.command(third, rename_limit);
        attempt.renamed = true;
    } catch (...) {
        attempt.failure = std::current_exception();
    }
}

// A gives up and rolls back; as long as it is at its renames, nothing has happened yet.
Task<void> interrupt(pq::Connection& b, int a_pid) {
    const std::string sql = fmt::format("select pg_catalog.pg_cancel_backend({})", a_pid);
    co_await b.rows(sql);
}

Task<void> wait_for_lock(pq::Connection& b, int a_pid, Attempt& attempt) {
    const std::string locked_sql = fmt::format(
        "select count(*) from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.objid "
        "where l.locktype = 'object' and l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass "
        "and l.mode = 'AccessExclusiveLock' and l.granted and l.pid = {} and d.datname = {}",
        a_pid, quote_literal(attempt.names.target));
    while (attempt.open()) {
        const std::string locks = co_await b.value(locked_sql);
        if (locks != "0") break;
        co_await flow::sleep_for(poll_pause);
    }
    attempt.locked = Clock::now();
}

// A prepared transaction counts as a session and holds its rows back: our locks wait for it, too. And near
// the end of the server's patience it is safer to try again with them than to fail without.
Task<bool> may_close(pq::Connection& b, const Attempt& attempt) {
    if (Clock::now() - attempt.locked > closing_limit) co_return false;
    const std::string sql =
        "select count(*) from pg_catalog.pg_prepared_xacts where database in (" + attempt.databases() + ")";
    const std::string prepared = co_await b.value(sql);
    co_return prepared == "0";
}

Task<void> close_last(Attempt& attempt, LastSession& last) {
    try {
        if (last.check) co_await last.check();
    } catch (...) {
        attempt.refusal = std::current_exception();
    }
    if (attempt.refusal) co_return;
    attempt.closed = true;
    last.close();
}

Task<void> end_sessions(Context& context, pq::Connection& b, int a_pid, Attempt& attempt, LastSession& last) {
    co_await wait_for_lock(b, a_pid, attempt);
    if (!attempt.open()) co_return;
    // Nobody new comes in from here. Who may not be ended is waited for without the lock, before any other
    // is ended for nothing.
    const std::string unendable = unendable_sql(attempt.databases());
    const pq::Rows in_the_way = co_await b.rows(unendable);
    attempt.in_the_way = !in_the_way.empty();
    if (attempt.in_the_way) {
        co_await interrupt(b, a_pid);
        co_return;
    }
    // Clients come back to `incoming` until A holds its lock too: ask until all renames are through, but not
    // beyond, or COMMIT would have us end the clients of the database that has the target's name then.
    const std::string end_sql = fmt::format(
        "select a.datname, pg_catalog.pg_terminate_backend(a.pid) from pg_catalog.pg_stat_activity a "
        "left join pg_catalog.pg_roles r on r.oid = a.usesysid "
        "where a.datname in ({}) and a.pid <> pg_catalog.pg_backend_pid() and {} and ({})",
        attempt.databases(), is_session, may_end);
    const std::string spared = fmt::format(" and a.pid <> {}", last.server_process);
    while (attempt.open()) {
        const bool spare = last.close && !attempt.closed;
        const std::string sql = spare ? end_sql + spared : end_sql;
        const pq::Rows ended = co_await b.rows(sql);
        attempt.sessions_ended += static_cast<int>(ended.size());
        bool alone = spare; // in the target: clients of `incoming` may come back until A holds its lock
        for (std::size_t i = 0; i < ended.size(); ++i)
            alone = alone && ended.at(i, "datname") != attempt.names.target;
        if (alone) {
            const bool close = co_await may_close(b, attempt);
            if (close) co_await close_last(attempt, last);
        }
        const bool stopped = context.options.connect.stop.requested() && !attempt.closed;
        if (attempt.open() && (attempt.refusal || stopped)) {
            co_await interrupt(b, a_pid);
            co_return;
        }
        co_await flow::sleep_for(poll_pause);
    }
}

// After a lost connection: which database has the target's name now? A's backend may still be at its COMMIT,
// and the answer counts only when it is gone.
Task<bool> swapped_after_all(Context& context, int a_pid, model::Oid incoming_oid, std::string target) {
    const std::string end_a = fmt::format(
        "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where pid = {} "
        "and usename = current_user and application_name = 'pgsluice'",
        a_pid);
    for (int attempt = 0; attempt < outcome_attempts; ++attempt) {
        try {
            pq::Connection fresh = co_await open_maintenance(context);
            const pq::Rows alive = co_await fresh.rows(end_a);
            if (alive.empty()) {
                const std::optional<DatabaseFacts> now = co_await find_database(fresh, target);
                if (now) co_return now->oid == incoming_oid;
            }
        } catch (const Error&) {
            // The server may be restarting: ask again.
        }
        co_await flow::sleep_for(1s);
    }
    throw Error{ErrorKind::attention, "the connection was lost during the swap and its outcome is unknown"}
        .object(display(target))
        .hint("when the server is back: psql -c '\\l' shows which of the databases has the target's name; "
              "then run "
              "pgsluice refresh again");
}

Task<void> commit_swap(pq::Connection& a, Context& context, const Attempt& attempt, model::Oid incoming_oid) {
    const int a_pid = a.backend_pid();
    std::exception_ptr lost;
    try {
        const std::string commit = "commit";
        co_await a.command(commit, rename_limit);
    } catch (...) {
        lost = std::current_exception();
    }
    if (!lost) co_return;
    if (!a.broken()) std::rethrow_exception(lost);
    const bool swapped = co_await swapped_after_all(context, a_pid, incoming_oid, attempt.names.target);
    if (!swapped) std::rethrow_exception(lost);
    a = co_await open_maintenance(context);
}

Task<void> rollback_quietly(pq::Connection& a) {
    if (a.broken()) co_return;
    const std::string rollback = "rollback";
    try {
        co_await a.command(rollback);
    } catch (const Error&) {
        // The attempt's own failure is the one to report.
    }
}

// One transaction, whoever asks us to stop: it must not be torn in the middle.
Task<void> attempt_swap(Context& context, pq::Connection& a, pq::Connection& b, Attempt& attempt,
                        model::Oid incoming_oid, LastSession& last) {
    attempt.renamed = attempt.in_the_way = false;
    attempt.failure = nullptr;
    const std::string begin = "begin; set local lock_timeout = '5s'";
    co_await a.command(begin);
    std::exception_ptr failure;
    try {
        co_await flow::join(rename_all(a, attempt), end_sessions(context, b, a.backend_pid(), attempt, last));
        if (attempt.failure) std::rethrow_exception(attempt.failure);
        co_await commit_swap(a, context, attempt, incoming_oid);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await rollback_quietly(a);
    std::rethrow_exception(attempt.refusal ? attempt.refusal : failure);
}

// Whether another attempt may go better; else throws.
bool try_again(const Context& context, const Attempt& attempt, Error& error, bool broken, bool last_try) {
    // 55006: sessions were still there after the server's 5 s; 55P03: our lock timeout; 57014: we gave up.
    const std::string& code = error.sqlstate();
    if (attempt.refusal) throw error;
    if (!broken && code == "57014" && context.options.connect.stop.requested() && !attempt.in_the_way)
        throw context.options.connect.stop.error().hint("the target is as it was; run again");
    const bool busy = code == "55006" || code == "55P03" || (code == "57014" && attempt.in_the_way);
    error.during("cannot swap the databases").object(display(attempt.names.target));
    if (attempt.closed && !broken && error.kind() != ErrorKind::attention)
        throw error.hint("the target is as it was; it was not tried again, since what is written there from "
                         "now on would be lost: run again");
    if (broken || !busy || last_try) throw error;
    return true;
}

} // namespace

Task<SwapResult> swap_databases(Context& context, pq::Connection& a, pq::Connection& b, SwapNames names,
                                LastSession last) {
    const std::optional<DatabaseFacts> incoming = co_await find_database(b, names.incoming);
    if (!incoming)
        throw Error{ErrorKind::internal, "the database to swap in is not there"}.object(
            display(names.incoming));
    Attempt attempt{.names = names, .middle = names.previous};
    if (names.previous == names.incoming) attempt.middle = beside_database_name(names.target, new_run_id());
    for (int number = 1;; ++number) {
        co_await wait_for_unendable_sessions(context, b, names.target);
        co_await wait_for_unendable_sessions(context, b, names.incoming);
        bool again = false;
        try {
            // Between attempts a signal does not wait.
            co_await flow::uninterrupted(attempt_swap(context, a, b, attempt, incoming->oid, last));
        } catch (Error& error) {
            again = try_again(context, attempt, error, a.broken(), number == swap_attempts);
        }
        if (!again) break;
        co_await flow::sleep_for(attempt_pause);
    }
    SwapResult result;
    result.away = Clock::now() - attempt.locked;
    result.sessions_ended = attempt.sessions_ended;
    co_return result;
}

Task<void> refuse_bound_database(pq::Connection& maintenance, std::string database) {
    const std::string name = quote_literal(database);
    const std::string sql =
        "select 'replication slot ' || slot_name as what from pg_catalog.pg_replication_slots where database "
        "= " +
        name +
        " and active union all select 'prepared transaction ' || gid from pg_catalog.pg_prepared_xacts "
        "where database = " +
        name +
        " union all select 'subscription ' || s.subname from pg_catalog.pg_subscription s "
        "join pg_catalog.pg_database d on d.oid = s.subdbid where d.datname = " +
        name + " limit 20";
    const pq::Rows rows = co_await maintenance.rows(sql);
    if (rows.empty()) co_return;
    std::vector<std::string> bound;
    for (std::size_t i = 0; i < rows.size(); ++i) bound.push_back(one_line(rows.at(i, "what")));
    throw Error{ErrorKind::refused, "the target's database is bound and cannot be swapped"}
        .object(display(database))
        .detail(join(bound, ", "))
        .hint("a database with these can neither be renamed away nor dropped later: end or drop them first");
}

} // namespace pgsluice::run
