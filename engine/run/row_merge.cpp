#include "run/row_merge.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/row_facts.hpp"
#include "run/stale_views.hpp"

namespace pgsluice::run {

namespace {

using Role = merge::MergeTable::Role;

constexpr std::size_t copy_buffer_bytes = std::size_t{256} * 1024;

// pgsluice.rejected is the journal's, too.
constexpr std::string_view tables_ddl =
    "create schema if not exists pgsluice; create table if not exists pgsluice.key (run_id text not null, "
    "recorded timestamptz not null default pg_catalog.clock_timestamp(), table_schema text not null, "
    "table_name text not null, key_columns text[] not null, natural_columns text[] not null, primary_key "
    "text[] not null, natural_key text[] not null); create table if not exists pgsluice.rejected (table_name "
    "text not null, reason text not null, \"row\" jsonb not null, run_id text not null, at timestamptz not "
    "null default pg_catalog.clock_timestamp())";

} // namespace

std::vector<WatchedTable> RowMerge::watched() const {
    std::vector<WatchedTable> watched;
    for (const merge::MergeTable& table : plan_.tables) {
        WatchedTable one;
        one.schema = table.name.schema;
        one.name = table.name.name;
        one.only_locked = table.role == Role::referenced;
        for (const merge::MergeColumn& column : table.columns) one.columns.push_back(column.name);
        one.key = table.row_key;
        one.partitioned = table.partitioned;
        watched.push_back(std::move(one));
    }
    return watched;
}

std::vector<WatchedTable> RowMerge::plain_extras() const {
    std::vector<WatchedTable> plain;
    const std::vector<WatchedTable> all = watched();
    for (const WatchedTable& one : all) {
        const merge::MergeTable& table = *plan_.table({one.schema, one.name});
        if (table.role == Role::extra && !follows(plan_, table)) plain.push_back(one);
    }
    return plain;
}

std::vector<merge::TableName> RowMerge::tables() const {
    std::vector<merge::TableName> names;
    for (const merge::MergeTable& table : plan_.tables)
        if (table.role == Role::preserved || follows(plan_, table)) names.push_back(table.name);
    return names;
}

// Row security hides their rows from the owner, too, where it is forced.
std::vector<merge::TableName> RowMerge::read_tables() const {
    std::vector<merge::TableName> names;
    for (const merge::MergeTable& table : plan_.tables) names.push_back(table.name);
    return names;
}

bool RowMerge::has_work() const { return !tables().empty(); }

// Through this process: the databases cannot see each other.
Task<void> RowMerge::copy(std::string out, std::string in, std::size_t i) {
    std::exception_ptr failure;
    try {
        pq::CopyOut reader = co_await target_.session().copy_out(out);
        pq::CopyIn writer = co_await inside_.copy_in(in);
        std::string buffer(copy_buffer_bytes, '\0');
        std::size_t got = co_await reader.read(buffer.data(), buffer.size());
        while (got > 0) {
            co_await writer.put(std::string_view(buffer.data(), got));
            got = co_await reader.read(buffer.data(), buffer.size());
        }
        const std::uint64_t received = co_await writer.finish();
        if (received != reader.rows())
            throw Error{ErrorKind::verification,
                        "the new database took another number of rows than the target sent"};
        co_return;
    } catch (Error& error) {
        if (error.object().empty()) error.object("table " + shown(plan_.tables[i]));
        failure = std::make_exception_ptr(error.during("cannot read the target's rows"));
    }
    std::rethrow_exception(failure);
}

Task<void> RowMerge::prepare() {
    const std::string ddl(tables_ddl);
    co_await inside_.command(ddl);
    now_ = co_await read_tables_now(inside_, plan_);
    co_await read_target_sequences(target_.session(), plan_, now_);
    sql_.emplace(plan_, now_, context_.run_id);
    rounds_.emplace(inside_, *sql_);
    co_await rounds_->send_all(sql_->create_common(), 0);
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (sql_->staged(i) || follows(plan_, plan_.tables[i]))
            co_await rounds_->send_all(sql_->create(i), i);
    // Before any row of the target: what the source has.
    const std::string forget = "delete from pgsluice.key";
    co_await inside_.command(forget);
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (plan_.tables[i].role == Role::preserved) co_await rounds_->send_all(sql_->record_keys(i), i);
    co_await read_record();
}

// What the last swapped run recorded is in the target that it became.
Task<void> RowMerge::read_record() {
    const std::string look = "select pg_catalog.to_regclass('pgsluice.key') is not null";
    const std::string known = co_await target_.session().value(look);
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        const merge::MergeTable& table = plan_.tables[i];
        if (table.role != Role::preserved) continue;
        std::string count = "0";
        if (known == "t") {
            const std::string columns = "key_columns, natural_columns, primary_key, natural_key";
            const std::string out = fmt::format(
                "copy (select {} from pgsluice.key where table_schema = {} and table_name = {}) to stdout",
                columns, pq::quote_literal(table.name.schema), pq::quote_literal(table.name.name));
            const std::string in = fmt::format("copy {} ({}) from stdin", sql_->was(i), columns);
            co_await copy(out, in, i);
            const std::string count_sql = "select count(*) from " + sql_->was(i);
            count = co_await inside_.value(count_sql);
        }
        if (count != "0" || plan_.keep_deleted) continue;
        // A table that was empty has no keys, but the run has told of it.
        const std::string told_sql =
            "select exists (select from pgsluice.run r, pg_catalog.jsonb_array_elements(r.report #> "
            "'{merge,tables}') t where r.state = 'swapped' and r.started = (select pg_catalog.max(l.started) "
            "from "
            "pgsluice.run l where l.state = 'swapped') and t ->> 'preserved' = 'true' and t ->> 'table' = " +
            pq::quote_literal(shown(table)) + ")";
        std::string told = "f";
        if (known == "t") told = co_await target_.session().value(told_sql);
        if (told != "t")
            context_.remark("table " + shown(table),
                            "no run before recorded the source's keys: no row counts as deleted there");
    }
}

Task<void> RowMerge::stage(std::size_t i) {
    co_await rounds_->send("delete from " + sql_->raw(i), i);
    co_await copy(sql_->copy_out(i), sql_->copy_in(i), i);
}

Task<void> RowMerge::put_preserved() {
    // As in RowRounds::compute(): what the server knows of the staging tables is old by now.
    const std::string hash = "set enable_nestloop = off", as_before = "reset enable_nestloop";
    co_await inside_.command(hash);
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (plan_.tables[i].role != Role::preserved) continue;
        co_await rounds_->send_all(sql_->record_rejected(i), i);
        co_await rounds_->send_all(sql_->apply(i), i);
        co_await rounds_->send_all(sql_->set_sequences(i), i);
    }
    co_await inside_.command(as_before);
}

Task<void> RowMerge::put_extras(std::vector<std::size_t> extras) {
    co_await rounds_->move_extras(extras);
    for (const std::size_t i : extras) {
        co_await rounds_->send_all(sql_->record_rejected(i), i);
        co_await rounds_->send_all(sql_->replace_extra(i), i);
    }
}

Task<RowMerge::Counted> RowMerge::count_both(std::size_t i) {
    const std::string theirs_sql = "select count(*) from " + sql_->real(i);
    const std::string ours_sql = sql_->count_with_rejected(i);
    Counted counted;
    counted.theirs = co_await target_.session().value(theirs_sql, limits::statement_wait_max);
    counted.ours = co_await inside_.value(ours_sql, limits::statement_wait_max);
    co_return counted;
}

Task<void> RowMerge::merge() {
    merged_ = has_work();
    if (!merged_) co_return;
    context_.step("merging rows of the target");
    QuietTables quiet = co_await QuietTables::begin(inside_, tables());
    co_await quiet.lift_row_security(read_tables());
    co_await prepare();
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (sql_->staged(i)) co_await stage(i);
    co_await rounds_->compute();
    co_await put_preserved();
    const std::vector<std::size_t> extras = following(plan_);
    co_await put_extras(extras);
    complete_.assign(plan_.tables.size(), false);
    for (const std::size_t i : extras) {
        const Counted counted = co_await count_both(i);
        complete_[i] = counted.ours == counted.theirs;
    }
    co_await quiet.commit();
    co_await report_counts();
    co_await note_materialized_views(context_, inside_, tables());
}

Task<void> RowMerge::finish() {
    if (!sql_) co_return;
    if (changed_late_) co_await report_counts();
    note_counts();
    const std::string shared = "drop table if exists pgsluice.hit, pgsluice.pair, pgsluice.need";
    QuietTables quiet = co_await QuietTables::begin_reading(inside_, read_tables());
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        co_await rounds_->send_all(sql_->set_sequences(i), i);
        co_await rounds_->send_all(sql_->drop(i), i);
    }
    co_await inside_.command(shared);
    co_await quiet.commit();
    rounds_.reset();
    sql_.reset();
}

Task<void> RowMerge::report_counts() {
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        const merge::MergeTable& table = plan_.tables[i];
        if (table.role != Role::preserved && !follows(plan_, table)) continue;
        report::MergedTable line = co_await rounds_->count(i);
        auto& lines = context_.report.merge.merged;
        std::erase_if(lines, [&](const report::MergedTable& old) { return old.table == line.table; });
        auto& remarks = context_.report.remarks;
        std::erase_if(remarks, [&](const report::Remarked& old) {
            return old.object == "table " + line.table &&
                   old.text.find("of the target's rows") != std::string::npos;
        });
        if (!line.preserved && line.repointed + line.rejected + line.nulled == 0) continue;
        if (line.rejected > 0)
            context_.remark(
                "table " + line.table,
                fmt::format("{} of the target's rows could not be kept: they are in pgsluice.rejected",
                            line.rejected),
                "see the reasons there: " + join(line.reasons, "; "));
        if (line.nulled > 0)
            context_.remark(
                "table " + line.table,
                fmt::format("in {} of the target's rows a reference that leads nowhere is NULL now",
                            line.nulled),
                join(line.reasons, "; "));
        lines.push_back(std::move(line));
    }
}

// What the log says of a table, once the counts are final.
void RowMerge::note_counts() {
    for (const report::MergedTable& line : context_.report.merge.merged)
        context_.note("table " + line.table, in_words(line));
}

} // namespace pgsluice::run
