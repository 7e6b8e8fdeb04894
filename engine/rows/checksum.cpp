#include "rows/checksum.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "pq/quote.hpp"

namespace pgsluice::rows {

namespace {

std::string from_only(const model::TableRows& table) {
    std::string sql = " from only " + pq::quote_qualified(table.schema, table.name);
    if (!table.condition.empty()) sql += " " + table.condition;
    return sql;
}

std::string from_clause(const Tables& tables) {
    if (tables.size() == 1) return from_only(*tables.front());
    const std::string columns = "select " + pq::quote_identifiers(tables.front()->columns);
    std::string sql;
    for (const model::TableRows* table : tables)
        sql += (sql.empty() ? " from (" : " union all ") + columns + from_only(*table);
    return sql + ") as partitions";
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

HashedText hashed_text(const pq::Connection& one, const pq::Connection& other) {
    return one.server_encoding() == other.server_encoding() ? HashedText::as_kept : HashedText::utf8;
}

std::string count_sql(const Tables& tables) { return "select count(*)" + from_clause(tables); }

std::string checksum_sql(const Tables& tables, HashedText hashed) {
    // The sum of hashes, not of texts: equal rows may come in any order and any number of pieces.
    // hashtextextended is the same on every supported major; "C" keeps a nondeterministic default collation
    // out of it.
    std::string row = "row(" + pq::quote_identifiers(tables.front()->columns) + ")::pg_catalog.text";
    if (hashed == HashedText::utf8)
        row = "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(" + row + ", 'UTF8')), 'hex')";
    return "select count(*) as rows, coalesce(pg_catalog.sum(pg_catalog.hashtextextended((" + row +
           ") collate pg_catalog.\"C\", 0)), 0) as sum" + from_clause(tables);
}

flow::Task<std::uint64_t> count_rows(pq::Connection& session, const Tables& tables) {
    const std::string sql = count_sql(tables);
    const std::string count = co_await session.value(sql, limits::statement_wait_max);
    co_return to_number(count);
}

flow::Task<TableChecksum> checksum_rows(pq::Connection& session, const Tables& tables, HashedText hashed) {
    const std::string sql = checksum_sql(tables, hashed);
    const pq::Rows rows = co_await session.rows(sql, limits::statement_wait_max);
    TableChecksum checksum;
    checksum.rows = to_number(rows.at(0, "rows"));
    checksum.sum = rows.at(0, "sum");
    co_return checksum;
}

} // namespace pgsluice::rows
