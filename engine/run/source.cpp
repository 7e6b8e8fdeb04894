#include "run/source.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "flow/deadline.hpp"
#include "pq/quote.hpp"
#include "run/blocker.hpp"

namespace pgsluice::run {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t lock_statement_bytes = 100'000; // one LOCK TABLE statement, as pg_dump does it
constexpr auto watch_pause = 1s;
constexpr auto turn_pause = 5ms;

// A view locks the tables that it reads, too.
constexpr std::uint64_t catalog_share_of_locks = 32;

std::uint64_t to_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string table_name(const model::TableRows& table) {
    return "table " + one_line(table.schema + "." + table.name);
}

bool is_as_read(const model::TableRows& read, const model::TableRows& now) {
    return now.relfilenode == read.relfilenode && now.class_xmin == read.class_xmin &&
           now.attribute_xmins == read.attribute_xmins;
}

[[noreturn]] void refuse_changed(const model::TableRows& table) {
    throw Error{ErrorKind::refused, "a source table was changed by DDL or TRUNCATE before it was locked"}
        .object(table_name(table))
        .hint("inside the snapshot it would look empty or wrong: run again when nobody migrates the source");
}

} // namespace

Source::Source(Context& context, pq::Connection leader, pq::Connection control)
    : context_(&context), leader_(std::move(leader)), control_(std::move(control)),
      pause_(std::make_unique<asio::steady_timer>(context.loops.main())), began_(Clock::now()) {}

template <class T>
Task<T> Source::in_turn(Task<T> work) {
    struct Turn {
        explicit Turn(bool& flag) : taken(flag) { taken = true; }
        ~Turn() { taken = false; }
        bool& taken;
    };
    while (control_taken_) co_await flow::sleep_for(turn_pause);
    const Turn turn(control_taken_);
    co_return co_await std::move(work);
}

Task<Source> Source::open(Context& context) {
    pq::Connection leader = co_await open_source(context);
    const pq::SessionOptions session = context.session(pq::Side::source);
    // The functions that deparse definitions wait for locks too: a migration at work must not hold us.
    const std::string begin =
        fmt::format("begin isolation level repeatable read, read only; set local lock_timeout = '{}ms'",
                    context.options.lock_timeout.count());
    co_await leader.command(begin);
    // Inside the leader's transaction: a transaction-mode pooler would hand a second client another server
    // session, or (the case that loses data) the same one.
    co_await pq::refuse_transaction_pooler(leader, context.source, session);
    pq::Connection control = co_await open_source(context);
    Source source{context, std::move(leader), std::move(control)};
    const std::string sql = "select pg_catalog.pg_export_snapshot()";
    try {
        source.snapshot_ = co_await source.leader_.value(sql);
    } catch (Error& error) {
        throw error.during("cannot export a snapshot of the source")
            .hint("a source in recovery that is older than PostgreSQL 10 cannot; use its primary");
    }
    source.add_backend(source.leader_.backend_pid());
    co_await source.compare_lock_table();
    co_return source;
}

// How many locks the server has room for, and how many a run could take.
Task<void> Source::compare_lock_table() {
    const std::string sql =
        "select pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 * "
        "(pg_catalog.current_setting('max_connections')::pg_catalog.int8 + "
        "pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) as capacity, "
        "(select pg_catalog.count(*) from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'S') and "
        "oid >= 16384) as relations";
    const pq::Rows rows = co_await control_.rows(sql);
    lock_capacity_ = to_number(rows.at(0, "capacity"));
    relations_ = to_number(rows.at(0, "relations"));
    locks_each_table_ = relations_ > lock_capacity_ / 2;
}

Task<void> Source::lock_tables(const model::Database& database) {
    if (locks_each_table_) {
        context_->note("source",
                       fmt::format("{} tables, views and sequences are more than half of what the server can "
                                   "lock ({}): each table is locked only while it is copied",
                                   format_count(relations_), format_count(lock_capacity_)));
        co_return;
    }
    const std::string timeout =
        fmt::format("set local lock_timeout = '{}ms'", context_->options.lock_timeout.count());
    co_await leader_.command(timeout);
    const auto limit = context_->options.lock_timeout + limits::statement_timeout_default;
    for (std::size_t first = 0; first < database.rows.size();) {
        std::string names;
        std::size_t next = first;
        for (; next < database.rows.size() && names.size() < lock_statement_bytes; ++next) {
            if (!names.empty()) names += ", ";
            names += "only " + pq::quote_qualified(database.rows[next].schema, database.rows[next].name);
        }
        const std::string sql = "lock table " + names + " in access share mode";
        std::exception_ptr failure;
        try {
            co_await leader_.command(sql, limit);
        } catch (const Error&) {
            failure = std::current_exception();
        }
        if (failure) co_await explain_lock_failure(failure);
        first = next;
    }
}

// The transaction is gone anyway: find out who is in the way.
Task<void> Source::explain_lock_failure(std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (Error& error) {
        error.during("cannot lock the source's tables");
        if (error.sqlstate() == "42P01")
            error.hint("a table was dropped or renamed while the run began: run again when nobody migrates "
                       "the source");
        if (error.sqlstate() != "55P03") throw;
    }
    co_await in_turn(name_blockers(control_, "source", plan::LockMode::access_share, "", failure));
}

Task<model::Database> Source::read_catalog(catalog::ReadOptions options) {
    std::exception_ptr failure;
    try {
        if (!locks_each_table_) co_return co_await catalog::read(leader_, options);
        options.snapshot = snapshot_;
        options.objects_per_batch = lock_capacity_ / catalog_share_of_locks;
        pq::Connection reader = co_await open_source(*context_);
        add_backend(reader.backend_pid());
        co_return co_await catalog::read(reader, options);
    } catch (const Error& error) {
        if (error.sqlstate() != "55P03") throw;
        failure = std::current_exception();
    }
    co_await in_turn(name_blockers(control_, "source", plan::LockMode::access_share, "", failure));
    std::rethrow_exception(failure);
}

Task<void> Source::check_unchanged(const model::Database& database) {
    const std::vector<model::TableRows> now = co_await in_turn(catalog::read_row_facts(control_));
    std::map<model::CatalogId, const model::TableRows*> by_id;
    for (const model::TableRows& table : now) by_id.emplace(table.table, &table);
    for (const model::TableRows& table : database.rows) {
        const auto at = by_id.find(table.table);
        if (at == by_id.end() || !is_as_read(table, *at->second)) refuse_changed(table);
    }
}

Task<void> Source::check_unchanged(const model::TableRows& table) {
    const std::optional<model::TableRows> now =
        co_await in_turn(catalog::read_row_facts(control_, table.table));
    if (!now || !is_as_read(table, *now)) refuse_changed(table);
}

Task<void> Source::watch() {
    const auto yield = context_->options.source_yield;
    Clock::time_point waiting_since{};
    while (!released_) {
        pause_->expires_after(watch_pause);
        boost::system::error_code woken;
        co_await pause_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (released_) co_return;
        if (woken) throw boost::system::system_error(woken);
        std::string pids;
        for (const int pid : backends_) pids += (pids.empty() ? "" : ",") + std::to_string(pid);
        const std::string sql =
            "select l.pid, a.usename, a.application_name, l.mode, l.relation::pg_catalog.regclass::text as "
            "relation "
            "from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid "
            "where not l.granted and pg_catalog.pg_blocking_pids(l.pid) && array[" +
            pids + "]::integer[] order by l.pid limit 1";
        const pq::Rows rows = co_await in_turn(control_.rows(sql));
        if (released_) co_return;
        if (rows.empty()) {
            waiting_since = {};
            continue;
        }
        const Clock::time_point now = Clock::now();
        if (waiting_since == Clock::time_point{}) waiting_since = now;
        if (now - waiting_since < yield) continue;
        throw Error{ErrorKind::refused, "somebody on the source waits for a lock of this run: giving way"}
            .object("table " + one_line(rows.at(0, "relation")))
            .detail(fmt::format("server process {} (role {}, application {}) waits for {} since {}",
                                rows.at(0, "pid"), one_line(rows.at(0, "usename")),
                                one_line(rows.at(0, "application_name")), rows.at(0, "mode"),
                                format_length(now - waiting_since)))
            .hint("run again when nobody changes the source's tables, or let it wait longer with "
                  "--source-yield");
    }
}

Task<void> Source::release() {
    if (released_) co_return;
    released_ = true;
    pause_->cancel();
    ended_ = Clock::now();
    pq::Connection closing = std::move(leader_);
    context_->report.source_queries += closing.queries_sent() + control_.queries_sent();
    if (closing.usable()) {
        const std::string sql = "commit";
        co_await closing.command(sql);
    }
    context_->report.seconds_source_held = std::chrono::duration<double>(held()).count();
    context_->emit(report::SourceReleased{held()});
}

std::chrono::steady_clock::duration Source::held() const {
    return (released_ ? ended_ : Clock::now()) - began_;
}

} // namespace pgsluice::run
