#include "rows/checksum.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "pq/quote.hpp"

namespace pgsluice::rows {

namespace {

std::string from_clause(const model::TableRows& table) {
    std::string sql = " from only " + pq::quote_qualified(table.schema, table.name);
    if (!table.condition.empty()) sql += " " + table.condition;
    return sql;
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

std::string count_sql(const model::TableRows& table) { return "select count(*)" + from_clause(table); }

std::string checksum_sql(const model::TableRows& table) {
    // The sum of hashes, not of texts: equal rows may come in any order and any number of pieces.
    // hashtextextended is the same on every supported major; "C" keeps a nondeterministic default collation
    // out of it.
    const std::string row = "row(" + pq::quote_identifiers(table.columns) + ")::pg_catalog.text";
    return "select count(*) as rows, coalesce(pg_catalog.sum(pg_catalog.hashtextextended((" + row +
           ") collate pg_catalog.\"C\", 0)), 0) as sum" + from_clause(table);
}

flow::Task<std::uint64_t> count_rows(pq::Connection& session, const model::TableRows& table) {
    const std::string sql = count_sql(table);
    const std::string count = co_await session.value(sql, limits::statement_wait_max);
    co_return to_number(count);
}

flow::Task<TableChecksum> checksum_rows(pq::Connection& session, const model::TableRows& table) {
    const std::string sql = checksum_sql(table);
    const pq::Rows rows = co_await session.rows(sql, limits::statement_wait_max);
    TableChecksum checksum;
    checksum.rows = to_number(rows.at(0, "rows"));
    checksum.sum = rows.at(0, "sum");
    co_return checksum;
}

} // namespace pgsluice::rows
