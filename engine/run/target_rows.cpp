#include "run/target_rows.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "pq/quote.hpp"
#include "run/blocker.hpp"

namespace pgsluice::run {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Below the default deadlock_timeout of a second: while we wait, no client waits long enough for us to be
// taken for the victim of a deadlock.
constexpr milliseconds short_patience = 900ms;
constexpr int short_attempts = 4, long_attempts = 3;
constexpr milliseconds attempt_pause = 300ms;

std::string display(const WatchedTable& table) {
    return "table " + one_line(table.schema + "." + table.name);
}

std::string qualified(const WatchedTable& table) { return pq::quote_qualified(table.schema, table.name); }

// r."a", r."b"
std::string columns_of_r(const std::vector<std::string>& columns) {
    std::string list;
    for (const std::string& column : columns)
        list += (list.empty() ? "r." : ", r.") + pq::quote_identifier(column);
    return list;
}

// Everything is compared as text: json, xml and point have no equality, a collation may take different texts
// for equal, and the temporary tables then depend on no type that somebody may want to drop. format() asks
// the type's output function, where a cast might have ideas of its own.
std::string key_columns(const WatchedTable& table) {
    std::string list;
    for (std::size_t i = 0; i < table.key.size(); ++i)
        list += fmt::format("pg_catalog.format('%s', r.{}) collate pg_catalog.\"C\" as k{}, ",
                            pq::quote_identifier(table.key[i]), i);
    return list;
}

std::string row_hash(const WatchedTable& table) {
    return "pg_catalog.hashtextextended((row(" + columns_of_r(table.columns) +
           ")::pg_catalog.text) collate pg_catalog.\"C\", 0)";
}

// ONLY: a parent's children are tables of their own, unless they are its partitions.
std::string only(const WatchedTable& table) { return (table.partitioned ? "" : "only ") + qualified(table); }

std::string from_table(const WatchedTable& table) { return " from " + only(table) + " as r"; }

std::string sum_columns(const WatchedTable& table) {
    return "count(*) as rows, coalesce(pg_catalog.sum(" + row_hash(table) + "), 0) as hash";
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Error& explain_reading(Error& error, const WatchedTable& table) {
    error.object(display(table));
    if (error.sqlstate() == "42P01" || error.sqlstate() == "42703" || error.sqlstate() == "3F000")
        error.hint("the target's schema was changed while the run was on: run again when nobody migrates it");
    else if (error.sqlstate() == "42501")
        error.hint("the role must read every row: it needs SELECT, and a table under FORCE ROW LEVEL "
                   "SECURITY a role with BYPASSRLS (or ALTER TABLE ... NO FORCE ROW LEVEL SECURITY)");
    return error;
}

// 55P03: our lock timeout; 57014: the attempt's own limit; 40P01: a deadlock with a client.
bool is_busy(const std::string& sqlstate) {
    return sqlstate == "55P03" || sqlstate == "57014" || sqlstate == "40P01";
}

std::string lock_sql(const std::vector<WatchedTable>& tables) {
    std::string names;
    for (const WatchedTable& table : tables) names += (names.empty() ? "" : ", ") + only(table);
    return "lock table " + names + " in share mode";
}

} // namespace

TargetRows::TargetRows(Context& context, pq::Connection session)
    : context_(&context), session_(std::move(session)) {}

Task<TargetRows> TargetRows::open(Context& context) {
    pq::Connection session = co_await open_target(context, context.target_database());
    const std::string begin = "begin isolation level repeatable read, read write";
    co_await session.command(begin);
    // As on the source: a transaction-mode pooler would hand our session, its locks and its temporary tables
    // to somebody else.
    const pq::SessionOptions options = context.session(pq::Side::target);
    co_await pq::refuse_transaction_pooler(session, context.target, options);
    TargetRows rows{context, std::move(session)};
    const std::string pid_sql = "select pg_catalog.pg_backend_pid()";
    const std::string pid = co_await rows.session_.value(pid_sql);
    rows.server_process_ = static_cast<int>(to_number(pid));
    const std::string sql = "select pg_catalog.pg_export_snapshot()";
    rows.snapshot_ = co_await rows.session_.value(sql);
    co_return rows;
}

std::string TargetRows::suffix(const WatchedTable& table) const {
    for (std::size_t i = 0; i < watched_.size(); ++i)
        if (watched_[i].schema == table.schema && watched_[i].name == table.name) return std::to_string(i);
    throw Error{ErrorKind::internal, "a table that was not remembered"}.object(display(table));
}

Task<void> TargetRows::remember(std::vector<WatchedTable> tables) {
    if (snapshot_ended_) throw Error{ErrorKind::internal, "rows to remember after the snapshot's end"};
    if (tables.empty()) co_return;
    const std::string may_sql =
        "select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')";
    const std::string may = co_await session_.value(may_sql);
    if (may != "t")
        throw Error{ErrorKind::refused, "the role may not make temporary tables in the target"}
            .object("database " + one_line(context_->target_database()))
            .hint("what changes there during the run is told by them: GRANT TEMPORARY ON DATABASE " +
                  pq::quote_identifier(context_->target_database()) + " TO " +
                  pq::quote_identifier(context_->target.user()));
    for (const WatchedTable& table : tables) {
        if (table.only_locked) {
            const bool lockable = co_await may_lock(table);
            if (lockable) watched_.push_back(table);
            continue;
        }
        watched_.push_back(table);
        const std::string as = "pgsluice_seen_" + suffix(table);
        co_await remember_one(table, as);
    }
}

Task<bool> TargetRows::may_lock(const WatchedTable& table) {
    const std::string sql = "select pg_catalog.has_table_privilege(" + pq::quote_literal(qualified(table)) +
                            ", 'UPDATE, DELETE, TRUNCATE')";
    const std::string may = co_await session_.value(sql);
    co_return may == "t";
}

Task<void> TargetRows::remember_one(const WatchedTable& table, std::string as) {
    const std::string what =
        table.key.empty() ? sum_columns(table) : key_columns(table) + row_hash(table) + " as hash";
    const std::string sql = "create temporary table " + as + " as select " + what + from_table(table);
    try {
        co_await session_.command(sql, limits::statement_wait_max);
    } catch (Error& error) {
        throw explain_reading(error.during("cannot remember the rows of the target"), table);
    }
}

Task<void> TargetRows::end_snapshot() {
    if (snapshot_ended_) co_return;
    snapshot_ended_ = true;
    const std::string sql = "commit";
    co_await session_.command(sql);
}

// Nothing: the locks are ours.
Task<std::exception_ptr> TargetRows::try_lock(milliseconds patience) {
    const std::string begin = fmt::format("begin isolation level read committed, read write; "
                                          "set local lock_timeout = '{}ms'; set local statement_timeout = "
                                          "'{}ms'",
                                          patience.count(), (patience + 50ms).count());
    const std::string locks = lock_sql(watched_);
    const std::string done = "set local statement_timeout = 0";
    const std::string rollback = "rollback";
    co_await session_.command(begin);
    std::exception_ptr failure;
    try {
        co_await session_.command(locks, patience + limits::statement_timeout_default);
        co_await session_.command(done);
    } catch (Error& error) {
        error.during("cannot lock the target's tables");
        if (error.sqlstate() == "42P01" || error.sqlstate() == "3F000")
            error.hint(
                "the target's schema was changed while the run was on: run again when nobody migrates it");
        if (error.sqlstate() == "42501")
            error.hint("the lock needs UPDATE, DELETE or TRUNCATE on the table, or its owner's role");
        if (session_.broken() || !is_busy(error.sqlstate())) throw;
        failure = std::current_exception();
    }
    if (failure) co_await session_.command(rollback);
    co_return failure;
}

Task<void> TargetRows::lock() {
    co_await end_snapshot();
    if (watched_.empty()) co_return;
    const milliseconds timeout = context_->options.lock_timeout;
    for (int attempt = 1;; ++attempt) {
        const milliseconds patience = attempt <= short_attempts ? std::min(short_patience, timeout) : timeout;
        const std::exception_ptr failure = co_await try_lock(patience);
        if (!failure) co_return;
        if (attempt == short_attempts + long_attempts) {
            std::string oids;
            for (const WatchedTable& table : watched_)
                oids += fmt::format("{}(n.nspname = {} and c.relname = {})", oids.empty() ? "" : " or ",
                                    pq::quote_literal(table.schema), pq::quote_literal(table.name));
            co_await name_blockers(session_, "target", plan::LockMode::share, oids, failure);
        }
        co_await flow::sleep_for(attempt_pause * attempt);
    }
}

Task<TargetRows::Changes> TargetRows::find_changes(const WatchedTable& table) {
    const std::string number = suffix(table);
    const std::string seen = "pg_temp.pgsluice_seen_" + number, change = "pgsluice_change_" + number;
    Changes changes;
    try {
        if (table.key.empty()) {
            const std::string same_sql = "select count(*) from " + seen + " s, (select " +
                                         sum_columns(table) + from_table(table) +
                                         ") n where s.rows = n.rows and s.hash = n.hash";
            const std::string same = co_await session_.value(same_sql, limits::statement_wait_max);
            changes.whole = same == "0";
            co_return changes;
        }
        // `at` is where the row is: under the lock nothing moves.
        std::string keys, on;
        for (std::size_t i = 0; i < table.key.size(); ++i) {
            keys += fmt::format("s.k{}, ", i);
            on += fmt::format("{}n.k{} = s.k{}", i == 0 ? "" : " and ", i, i);
        }
        const std::string make_sql =
            "create temporary table " + change + " as select " + keys + "n.home, n.at from " + seen +
            " s full join (select r.tableoid as home, r.ctid as at, " + key_columns(table) + row_hash(table) +
            " as hash" + from_table(table) + ") n on " + on + " where n.hash is distinct from s.hash";
        co_await session_.command(make_sql, limits::statement_wait_max);
        const std::string count_sql = "select count(*) filter (where at is null) as deleted, count(at) as "
                                      "changed from pg_temp." +
                                      change;
        const pq::Rows counts = co_await session_.rows(count_sql);
        changes.deleted = to_number(counts.at(0, "deleted"));
        changes.changed = to_number(counts.at(0, "changed"));
    } catch (Error& error) {
        throw explain_reading(error.during("cannot tell what changed on the target"), table);
    }
    co_return changes;
}

std::string TargetRows::changed_rows_sql(const WatchedTable& table) const {
    std::string sql = "select " + columns_of_r(table.columns) + from_table(table);
    if (table.key.empty()) return sql;
    return sql + " join pg_temp.pgsluice_change_" + suffix(table) +
           " c on r.ctid = c.at and r.tableoid = c.home";
}

std::string TargetRows::deleted_keys_sql(const WatchedTable& table) const {
    std::string keys;
    for (std::size_t i = 0; i < table.key.size(); ++i) keys += fmt::format("{}k{}", i == 0 ? "" : ", ", i);
    return "select " + keys + " from pg_temp.pgsluice_change_" + suffix(table) + " where at is null";
}

} // namespace pgsluice::run
