#include "run/carry_history.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/migrations.hpp"

namespace pgsluice::run {

namespace {

using Row = std::vector<std::optional<std::string>>;

// The entries as the target has them, in the columns that both sides' tables have.
Task<std::vector<Row>> read_entries(pq::Connection& target, const merge::MigrationDifference& difference,
                                    std::vector<std::string> columns) {
    std::set<std::string> wanted;
    const merge::MigrationTool& tool = difference.table.tool;
    for (const merge::Migration& migration : difference.only_target)
        wanted.insert(merge::canonical_version(tool.form, migration.version));
    const std::string sql = entries_sql(difference.table, columns);
    const pq::Rows rows = co_await target.rows(sql);
    std::vector<Row> entries;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows.at(i, "counts") != "t") continue;
        const std::string text(rows.at(i, "version"));
        if (!tool.head_only && !wanted.contains(merge::canonical_version(tool.form, text))) continue;
        Row row;
        for (std::size_t k = 0; k < columns.size(); ++k) {
            const std::optional<std::string_view> value = rows.get(i, "c" + std::to_string(k));
            row.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
        }
        entries.push_back(std::move(row));
    }
    co_return entries;
}

Task<std::uint64_t> last_rank(pq::Connection& inside, std::string table, std::string rank) {
    const std::string sql = "select coalesce(pg_catalog.max(" + rank + "), 0)::pg_catalog.int8 from " + table;
    const std::string text = co_await inside.value(sql);
    std::uint64_t last = 0;
    std::from_chars(text.data(), text.data() + text.size(), last);
    co_return last;
}

std::string insert_sql(const std::string& table, const std::vector<std::string>& columns, const Row& row) {
    std::vector<std::string> names, values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        names.push_back(pq::quote_identifier(columns[i]));
        values.push_back(row[i] ? pq::quote_literal(*row[i]) : "null");
    }
    return "insert into " + table + " (" + join(names, ", ") + ") overriding system value values (" +
           join(values, ", ") + ")";
}

Task<void> insert_entries(pq::Connection& inside, const merge::MigrationDifference& difference,
                          std::vector<std::string> columns, std::vector<Row> entries) {
    const merge::HistoryTable& history = difference.table;
    const std::string table = pq::quote_qualified(history.schema, history.name);
    if (history.tool.head_only) {
        const std::string empty = "delete from " + table;
        co_await inside.command(empty);
    }
    const std::string rank = history.tool.rank.empty() ? "" : history.column(history.tool.rank);
    const auto at = std::find(columns.begin(), columns.end(), rank);
    std::uint64_t last = 0;
    const std::string quoted_rank = rank.empty() ? "" : pq::quote_identifier(rank);
    if (at != columns.end()) last = co_await last_rank(inside, table, quoted_rank);
    for (Row& row : entries) {
        if (at != columns.end()) row[static_cast<std::size_t>(at - columns.begin())] = std::to_string(++last);
        const std::string insert = insert_sql(table, columns, row);
        co_await inside.command(insert);
    }
    if (at == columns.end()) co_return;
    const std::string next = "select pg_catalog.setval(s, " +
                             std::to_string(std::max<std::uint64_t>(last, 1)) +
                             ") from pg_catalog.pg_get_serial_sequence(" + pq::quote_literal(table) + ", " +
                             pq::quote_literal(rank) + ") s where s is not null";
    (void)co_await inside.rows(next);
}

Task<std::uint64_t> carry_history(Context& context, pq::Connection& target, pq::Connection& inside,
                                  merge::MigrationDifference difference) {
    std::vector<std::string> columns;
    for (const merge::History& there : co_await read_histories(context, inside)) {
        if (there.table.schema != difference.table.schema || there.table.name != difference.table.name)
            continue;
        for (const std::string& column : difference.table.columns)
            if (std::find(there.table.columns.begin(), there.table.columns.end(), column) !=
                there.table.columns.end())
                columns.push_back(column);
    }
    const std::vector<Row> entries = co_await read_entries(target, difference, columns);
    const std::string begin = "begin", commit = "commit", rollback = "rollback";
    co_await inside.command(begin);
    std::exception_ptr failure;
    try {
        co_await insert_entries(inside, difference, columns, entries);
        co_await inside.command(commit);
    } catch (Error& error) {
        error.during("cannot carry entries of a migration history")
            .object("table " + one_line(difference.table.display()));
        failure = std::current_exception();
    }
    if (failure && !inside.broken()) co_await inside.command(rollback);
    if (failure) std::rethrow_exception(failure);
    co_return entries.size();
}

} // namespace

Task<std::uint64_t> carry_histories(Context& context, pq::Connection& target, pq::Connection& inside,
                                    std::vector<merge::MigrationDifference> differences) {
    std::uint64_t added = 0;
    for (merge::MigrationDifference& difference : differences) {
        // A table that only the target has comes along as an extra, with its rows.
        if (!difference.in_source || difference.only_target.empty()) continue;
        const std::uint64_t entries = co_await carry_history(context, target, inside, std::move(difference));
        added += entries;
    }
    co_return added;
}

} // namespace pgsluice::run
