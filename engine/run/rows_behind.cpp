#include "run/rows_behind.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/journal.hpp"

namespace pgsluice::run {

namespace {

// One row of pgsluice.rejected per row, through this process.
Task<std::uint64_t> copy_rows(Context& context, pq::Connection& target, pq::Connection& inside,
                              RowsBehind table) {
    // No column is called so.
    constexpr std::string_view whole = "\"pgsluice whole\"";
    const std::string shown = table.schema + "." + table.name;
    const std::string out =
        fmt::format("copy (select {}, {}, pg_catalog.to_jsonb({}), {} from only {} {}) to stdout",
                    pq::quote_literal(shown), pq::quote_literal(table.reason), whole,
                    pq::quote_literal(context.run_id), pq::quote_qualified(table.schema, table.name), whole);
    const std::string in = "copy pgsluice.rejected (table_name, reason, \"row\", run_id) from stdin";
    pq::CopyOut reader = co_await target.copy_out(out);
    pq::CopyIn writer = co_await inside.copy_in(in);
    std::string buffer(limits::KiB * 64, '\0');
    for (std::size_t got = co_await reader.read(buffer.data(), buffer.size()); got > 0;
         got = co_await reader.read(buffer.data(), buffer.size()))
        co_await writer.put(std::string_view(buffer).substr(0, got));
    co_await writer.finish();
    const std::string count_sql =
        "select count(*) from pgsluice.rejected where run_id = " + pq::quote_literal(context.run_id) +
        " and table_name = " + pq::quote_literal(shown);
    const std::string count = co_await inside.value(count_sql);
    std::uint64_t rows = 0;
    std::from_chars(count.data(), count.data() + count.size(), rows);
    co_return rows;
}

} // namespace

std::vector<RowsBehind> rows_behind_of_plan(const Catalogs& catalogs) {
    std::vector<RowsBehind> found;
    for (const merge::Pending& item : catalogs.planned.pending) {
        if (item.why != merge::Pending::Why::cannot || item.key.kind != model::Kind::table) continue;
        const model::Object* table = catalogs.target.find(item.key);
        // Not a line of one of its columns, and no table of the source's has its name and takes its place.
        if (table != nullptr && model::display_name(*table) == item.name &&
            catalogs.target.rows_of(table->id))
            found.push_back({item.key.schema, item.key.name, item.reason});
    }
    return found;
}

std::vector<report::LosingTable> tables_left_behind(const Catalogs& catalogs,
                                                    const std::vector<RowsBehind>& kept) {
    std::vector<report::LosingTable> found;
    for (const model::TableRows& table : catalogs.target.rows) {
        if (table.schema == "pgsluice" || table.is_configuration || table.rows == 0 || table.bytes == 0)
            continue;
        const bool planned =
            catalogs.planned.database.find({model::Kind::table, table.schema, "", table.name, ""}) != nullptr;
        const bool is_kept = std::any_of(kept.begin(), kept.end(), [&](const RowsBehind& behind) {
            return behind.schema == table.schema && behind.name == table.name;
        });
        if (planned || is_kept) continue;
        report::LosingTable losing;
        losing.table = table.schema + "." + table.name;
        losing.rows_estimated = table.rows > 0 ? static_cast<std::uint64_t>(table.rows) : 0;
        found.push_back(std::move(losing));
    }
    return found;
}

Task<std::vector<report::LosingTable>> recorded_only_in_previous(pq::Connection& target) {
    std::vector<report::LosingTable> found;
    const bool known = co_await has_journal(target);
    if (!known) co_return found;
    const std::string sql = "select t.value ->> 'table' as name, t.value ->> 'rows_estimated' as rows from "
                            "(select report -> 'merge' -> "
                            "'only_in_previous' as list from pgsluice.run where state = 'swapped' order by "
                            "started desc limit 1) r, "
                            "pg_catalog.jsonb_array_elements(case pg_catalog.jsonb_typeof(r.list) when "
                            "'array' then r.list end) t";
    const pq::Rows rows = co_await target.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        report::LosingTable table;
        table.table = rows.at(i, "name");
        const std::string_view count = rows.at(i, "rows");
        std::from_chars(count.data(), count.data() + count.size(), table.rows_estimated);
        found.push_back(std::move(table));
    }
    co_return found;
}

void tell_gone_with_previous(Context& context, const std::string& database,
                             const std::vector<report::LosingTable>& tables) {
    const std::string name = "database " + one_line(database);
    if (tables.empty()) {
        context.note(name, "of the run before: dropped");
        return;
    }
    std::vector<std::string> names;
    for (const report::LosingTable& table : tables) names.push_back(one_line(table.table));
    context.remark(name, "of the run before: dropped, and with it the only copy of the target's " +
                             join(names, ", "));
}

Task<void> keep_rows_behind(Context& context, pq::Connection& target, pq::Connection& inside,
                            std::vector<RowsBehind> tables) {
    if (tables.empty()) co_return;
    // In the transaction of the locks, or in one of its own where nothing had to be locked.
    const std::string begin =
        fmt::format("begin; set local lock_timeout = '{}ms'", context.options.lock_timeout.count());
    co_await target.command(begin);
    for (const RowsBehind& table : tables) {
        const std::string name = "table " + one_line(table.schema + "." + table.name);
        const std::string lock =
            "lock table only " + pq::quote_qualified(table.schema, table.name) + " in share mode";
        std::uint64_t rows = 0;
        try {
            co_await target.command(lock, limits::statement_wait_max);
            rows = co_await copy_rows(context, target, inside, table);
        } catch (Error& error) {
            throw error.during("cannot keep the rows of a table that cannot come along").object(name);
        }
        if (rows > 0)
            context.remark(name,
                           fmt::format("its {} rows do not come along and are kept in pgsluice.rejected: {}",
                                       rows, table.reason),
                           "put them back from there when the table takes them");
    }
}

} // namespace pgsluice::run
