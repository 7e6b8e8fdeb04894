#include "run/lane.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "flow/join.hpp"
#include "pq/quote.hpp"
#include "rows/checksum.hpp"
#include "run/second_chance.hpp"

namespace pgsluice::run {

namespace {

// Sessions that load: a crash before the swap loses nothing that a new run would not make again, and the
// swap's own COMMIT is synchronous, so asynchronous commits before it are on disk by then.
constexpr std::string_view loading_settings =
    "set synchronous_commit = off; set check_function_bodies = off; set default_tablespace = ''; "
    "set default_table_access_method = 'heap'; set default_transaction_read_only = off";

constexpr int schema_grants_key = 1; // of an advisory lock in the new database, where nobody else is

// The server told only by a warning that a GRANT or REVOKE did nothing (rules.md section 6).
bool grant_did_nothing(const pq::Notice& notice) {
    return notice.sqlstate == "01006" || notice.sqlstate == "01007";
}

Task<void> read_checksum(pq::Connection& session, const rows::Tables& tables, rows::HashedText hashed,
                         rows::TableChecksum& out) {
    out = co_await rows::checksum_rows(session, tables, hashed);
}

// An extension that came with --template belongs to whoever prepared it, and has the comment of its own
// package: not being allowed to set that again is no reason to stop.
Task<bool> came_with_template(pq::Connection& target, graph::Entry entry, std::string sqlstate) {
    if (entry.kind != model::Kind::extension || sqlstate != "42501") co_return false;
    const std::string sql = "select count(*) from pg_catalog.pg_extension where 'extension ' || extname = " +
                            pq::quote_literal(entry.name);
    const std::string found = co_await target.value(sql);
    co_return found != "0";
}

// An older server refuses what only a newer one knows; its own words are a syntax error.
void explain_older_target(Error& error, int source_version, int target_version) {
    const int source = source_version / 10000, target = target_version / 10000;
    if (target < source && error.hint().empty())
        error.hint(
            fmt::format("the target's server is PostgreSQL {}, the source's {}: an object that uses "
                        "what only the newer one has cannot be made there; upgrade the target's server",
                        target, source));
}

// The new database gets the extension from its script, whose grants may not be enough.
void explain_configuration(Error& error, const model::TableRows& table, const std::string& role) {
    if (!table.is_configuration || error.sqlstate() != "42501") return;
    const std::string name = pq::quote_qualified(table.schema, table.name);
    error.object("configuration table " + one_line(table.schema + "." + table.name) + " of an extension")
        .hint("let an administrator prepare a database for --template, with the extension in it and GRANT "
              "INSERT, "
              "SELECT ON " +
              one_line(name) + " TO " + pq::quote_identifier(role));
}

// Whoever becomes owner needs CREATE on the schema, which preprod may have taken from them since: granted for
// that moment. One transaction at a time, as the server lets no two change a schema's grants at once. Empty:
// that is not why it was refused.
std::string sql_with_create(const graph::Entry& entry, const model::Database& planned,
                            const std::string& sqlstate) {
    const model::Object* object = planned.find(entry.object);
    if (sqlstate != "42501" || object == nullptr || object->schema.empty() || object->owner.empty())
        return {};
    const std::string right = "CREATE ON SCHEMA " + pq::quote_identifier(object->schema);
    const std::string owner = pq::quote_identifier(object->owner);
    return fmt::format(
        "select pg_catalog.pg_advisory_xact_lock({});\ngrant {} to {};\n{}\nrevoke {} from {};",
        schema_grants_key, right, owner, entry.sql, right, owner);
}

const graph::Entry& entry_of(const LaneShared& shared, graph::EntryId id) {
    return shared.graph->entries[id];
}

} // namespace

Task<void> Lane::open(const LaneShared& shared) {
    // All of them before the first row is read: a password may be good for a quarter of an hour only.
    if (!shared.snapshot.empty()) co_await open_source(shared);
    if (shared.rows_of_target) co_await open_old_target(shared);
    co_await open_target(shared);
}

Task<void> Lane::open_source(const LaneShared& shared) {
    pq::Connection fresh = co_await pq::Connection::open(shared.source, shared.source_session);
    if (source_) source_queries_ += source_->queries_sent();
    source_ = std::move(fresh);
    source_pid_ = source_->backend_pid();
}

Task<void> Lane::open_old_target(const LaneShared& shared) {
    pq::Connection fresh = co_await pq::Connection::open(shared.old_target, shared.target_session);
    if (old_target_) target_queries_ += old_target_->queries_sent();
    old_target_ = std::move(fresh);
}

Task<void> Lane::open_target(const LaneShared& shared) {
    pq::Connection fresh = co_await pq::Connection::open(shared.target, shared.target_session);
    const std::string settings{loading_settings};
    co_await fresh.command(settings);
    if (target_) target_queries_ += target_->queries_sent();
    target_ = std::move(fresh);
}

Task<void> Lane::recover(const LaneShared& shared) {
    const std::string rollback = "rollback";
    if (target_->broken())
        co_await open_target(shared);
    else
        co_await target_->command(rollback);
    if (!old_target_) co_return;
    if (old_target_->broken())
        old_target_.reset();
    else
        co_await old_target_->command(rollback);
}

Task<void> Lane::close_source() {
    if (source_) source_queries_ += source_->queries_sent();
    source_.reset();
    co_return;
}

Task<void> Lane::close() {
    co_await close_source();
    for (std::optional<pq::Connection>* session : {&target_, &old_target_}) {
        if (*session) target_queries_ += (*session)->queries_sent();
        session->reset();
    }
}

Task<TaskResult> Lane::perform(const LaneShared& shared, const plan::Task& task, Progress progress) {
    TaskResult result;
    const bool is_copy = task.kind == plan::TaskKind::copy;
    co_await replace_large(shared, is_copy, result);
    if (is_copy)
        co_await copy(shared, task, std::move(progress), result);
    else
        co_await statements(shared, task, result);
    co_return result;
}

// libpq never shrinks its buffers: after a very large row the connection is replaced before the next task;
// those that only copies use, before the next copy.
Task<void> Lane::replace_large(const LaneShared& shared, bool before_copy, TaskResult& result) {
    const auto is_large = [](const std::optional<pq::Connection>& session) {
        return session && session->largest_row_bytes() > limits::row_bytes_recycle;
    };
    if (refused_ && !before_copy) co_return;
    try {
        if (before_copy && is_large(source_)) co_await open_source(shared);
        if (before_copy && is_large(old_target_)) co_await open_old_target(shared);
        if (is_large(target_)) co_await open_target(shared);
    } catch (const Error& error) {
        if (!std::exchange(refused_, true))
            result.notes.push_back(
                {fmt::format("lane {}", index_),
                 "a large row passed and a fresh connection was refused: going on with the old one (" +
                     one_line(error.message()) + ")"});
    }
}

Task<void> Lane::copy(const LaneShared& shared, const plan::Task& task, Progress progress,
                      TaskResult& result) {
    const model::TableRows* table = shared.planned->rows_of(task.table);
    if (table == nullptr) throw Error{ErrorKind::internal, "a copy of a table that the plan does not know"};

    pq::Connection* from = co_await begin_reading(shared, *table);
    const std::string begin_target = "begin";
    co_await target_->command(begin_target);

    rows::CopyOptions options;
    options.table = table;
    options.range = task.range;
    options.format = rows::choose_format(*table, from->server_version(), target_->server_version());
    if (table->partition_root_load) {
        options.root_schema = table->root_schema;
        options.root_name = table->root_name;
    }
    options.loop = loop_;
    options.helpers = shared.helpers;
    options.budget = shared.budget;
    options.progress = std::move(progress);
    rows::CopyResult copied;
    try {
        copied = co_await rows::copy_range(*from, *target_, options);
    } catch (Error& error) {
        explain_configuration(error, *table, shared.target.user());
        throw;
    }

    result.rows = copied.rows_received;
    result.bytes = copied.bytes;
    result.format = options.format;

    const std::string commit = "commit";
    if (!table->partition_root_load) {
        const Siblings::Together alone{{table}, copied.rows_received};
        co_await compare_content(shared, *from, alone, result);
        co_await target_->command(commit);
    } else {
        // What other lanes have copied is seen once it is committed.
        co_await target_->command(commit);
        const auto together = shared.siblings->copied(*table, copied.rows_received);
        if (together) co_await compare_content(shared, *from, *together, result);
    }
    co_await from->command(commit);
}

Task<pq::Connection*> Lane::begin_reading(const LaneShared& shared, const model::TableRows& table) {
    const std::string lock =
        fmt::format("; set local lock_timeout = '{}ms'; lock table only {} in access share mode",
                    shared.lock_timeout.count(), pq::quote_qualified(table.schema, table.name));
    std::string begin = "begin isolation level repeatable read, read only; set transaction snapshot ";
    pq::Connection* from = nullptr;
    if (table.from_target) {
        if (!old_target_) co_await open_old_target(shared); // it broke
        from = &*old_target_;
        begin += pq::quote_literal(shared.target_snapshot) + lock;
    } else {
        if (!source_) throw Error{ErrorKind::internal, "a copy from a source that is not open"};
        from = &*source_;
        begin += pq::quote_literal(shared.snapshot);
        if (shared.refuse_changed) begin += lock;
    }
    co_await from->command(begin);
    if (shared.refuse_changed && !table.from_target) co_await shared.refuse_changed(table);
    co_return from;
}

// rules.md section 9: rows sent = rows received = what the table holds now; with --verify=checksum the
// content too, read once more inside the source's snapshot.
Task<void> Lane::compare_content(const LaneShared& shared, pq::Connection& from,
                                 const Siblings::Together& what, TaskResult& result) {
    const model::TableRows& table = *what.tables.front();
    const std::string name =
        "table " + one_line(table.partition_root_load ? table.root_schema + "." + table.root_name
                                                      : table.schema + "." + table.name);
    if (!shared.checksums) {
        const std::uint64_t count = co_await rows::count_rows(*target_, what.tables);
        if (count == what.rows) co_return;
        throw Error{ErrorKind::verification, "the table does not hold the rows that were copied into it"}
            .object(name)
            .detail(fmt::format("{} received, {} found", what.rows, count));
    }
    const auto began = std::chrono::steady_clock::now();
    rows::TableChecksum ours, theirs;
    const rows::HashedText hashed = rows::hashed_text(from, *target_);
    co_await flow::join(read_checksum(from, what.tables, hashed, ours),
                        read_checksum(*target_, what.tables, hashed, theirs));
    result.checksum_took = std::chrono::steady_clock::now() - began;
    result.checksum = theirs.sum;
    if (ours == theirs && theirs.rows == what.rows) co_return;
    throw Error{ErrorKind::verification, "source and target differ after the copy"}
        .object(name)
        .detail(fmt::format("{} rows on the source, {} on the target, checksums {}", ours.rows, theirs.rows,
                            ours.sum == theirs.sum ? "equal" : "different"))
        .hint("nothing was swapped; please report this with the table's definition");
}

Task<void> Lane::statements(const LaneShared& shared, const plan::Task& task, TaskResult& result) {
    bool rights = false;
    for (const graph::EntryId id : task.entries)
        rights = rights || entry_of(shared, id).part == graph::Part::rights;

    if (!rights) {
        // One message for the whole transaction; only when it fails the statements are sent one by one, to
        // name the one.
        std::string sql = "begin;\n";
        if (task.kind == plan::TaskKind::index && shared.maintenance_kib > 0)
            sql += fmt::format("set local maintenance_work_mem = '{}kB';\n", shared.maintenance_kib);
        // Its query may mean days of the zone that the target's own sessions live in, and be worth compiling.
        if (task.kind == plan::TaskKind::refresh)
            sql += "set local timezone to default;\nset local jit to default;\n";
        for (const std::string& statement : task.statements) sql += statement + "\n";
        sql += "commit;";
        std::exception_ptr failure;
        std::string sqlstate;
        try {
            co_await target_->command(sql, limits::statement_wait_max);
        } catch (Error& error) {
            if (task.extra) error.object(entry_of(shared, task.entries.front()).name); // its only one
            if (target_->broken()) throw;
            sqlstate = error.sqlstate();
            failure = std::current_exception();
        }
        (void)target_->take_notices();
        if (!failure) co_return;
        const std::string rollback = "rollback";
        co_await target_->command(rollback);
        if (task.extra) {
            const graph::Entry& entry = entry_of(shared, task.entries.front());
            const bool harmless = co_await came_with_template(*target_, entry, sqlstate);
            const model::Object* object = shared.planned->find(entry.object);
            if (entry.part == graph::Part::add_elements && entry.kind == model::Kind::table &&
                object != nullptr)
                co_await add_columns_alone(*target_, *shared.planned, *object);
            if (!harmless) std::rethrow_exception(failure);
            result.notes.push_back({entry.name, "came with --template and keeps its comment and owner"});
            co_return;
        }
    }
    co_await one_by_one(shared, task, result);
}

Task<Lane::Refused> Lane::try_entry(const LaneShared& shared, const graph::Entry& entry, std::string sql) {
    const std::string savepoint = "savepoint entry";
    const std::string undo = "rollback to savepoint entry; release savepoint entry";
    const std::string keep = "release savepoint entry";
    co_await target_->command(savepoint);
    (void)target_->take_notices();
    Refused refused;
    try {
        co_await target_->command(sql, limits::statement_wait_max);
        for (const pq::Notice& notice : target_->take_notices())
            if (entry.part == graph::Part::rights && grant_did_nothing(notice))
                refused.text = notice.message + " [" + notice.sqlstate + "]";
    } catch (Error& error) {
        error.object(entry.name);
        explain_older_target(error, shared.planned->server_version, target_->server_version());
        if (target_->broken()) throw;
        refused.text = error.message() + " [" + error.sqlstate() + "]";
        refused.sqlstate = error.sqlstate();
        refused.failure = std::current_exception();
    }
    const std::string& end = refused.text.empty() ? keep : undo;
    co_await target_->command(end);
    co_return refused;
}

// Each entry in a savepoint of its own. A right that cannot be given is a remark with its SQL, not the run's
// end: neither a row nor an object hangs on it, and the grants are read back and compared before the swap.
Task<void> Lane::one_by_one(const LaneShared& shared, const plan::Task& task, TaskResult& result) {
    const std::string begin = "begin";
    const std::string commit = "commit";
    co_await target_->command(begin);
    for (const graph::EntryId id : task.entries) {
        const graph::Entry& entry = entry_of(shared, id);
        if (entry.sql.empty()) continue;
        Refused refused = co_await try_entry(shared, entry, entry.sql);
        if (refused.text.empty()) continue;
        if (refused.failure && entry.part != graph::Part::rights) {
            const bool harmless = co_await came_with_template(*target_, entry, refused.sqlstate);
            if (!harmless) std::rethrow_exception(refused.failure);
            result.notes.push_back({entry.name, "came with --template and keeps its comment and owner"});
            continue;
        }
        const std::string otherwise = sql_with_create(entry, *shared.planned, refused.sqlstate);
        if (!otherwise.empty()) {
            const Refused again = co_await try_entry(shared, entry, otherwise);
            if (again.text.empty()) continue;
        }
        result.remarks.push_back({entry.name, "owner or grants could not be set: " + one_line(refused.text),
                                  "run the SQL as the object's owner or as a member of that role",
                                  entry.sql});
    }
    co_await target_->command(commit);
}

} // namespace pgsluice::run
