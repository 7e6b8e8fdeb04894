// The COPY statements of one range, and their format.
#include "base/error.hpp"
#include "pq/quote.hpp"
#include "rows/copy.hpp"

namespace pgsluice::rows {
namespace {

// A table without columns (or with generated ones only) has rows too, but no list to name.
std::string column_list(const model::TableRows& table) {
    if (table.columns.empty()) return {};
    return " (" + pq::quote_identifiers(table.columns) + ")";
}

std::string_view options(Format format) { return format == Format::binary ? " WITH (FORMAT binary)" : ""; }

// What a row costs in the heap besides its columns: tuple header and line pointer.
constexpr double row_overhead_bytes = 28;
// A binary field costs four bytes of length, a text field one separator.
constexpr double binary_column_bytes_min = 8;

} // namespace

std::string copy_out_sql(const model::TableRows& table, const plan::Range& range, Format format) {
    const std::string name = pq::quote_qualified(table.schema, table.name);
    const std::string select = "SELECT " + pq::quote_identifiers(table.columns) + " FROM ";
    // ONLY: a parent's children are tables with ranges of their own. The line breaks end comments.
    std::string rows = "ONLY " + name;
    // What an extension wrote, whatever it is, as pg_dump sends it: a range of it goes around it.
    if (!table.condition.empty()) rows += " " + table.condition + "\n";
    std::string sql = "COPY ";
    if (!range.predicate.empty()) {
        if (!table.condition.empty()) rows = "(SELECT * FROM " + rows + ") AS configuration";
        sql += "(" + select + rows + " WHERE (" + range.predicate + "\n))";
    } else if (!table.condition.empty()) {
        sql += "(" + select + rows + ")";
    } else {
        sql += name + column_list(table);
    }
    return sql.append(" TO STDOUT").append(options(format));
}

std::string copy_in_sql(const model::TableRows& table, Format format, const std::string& root_schema,
                        const std::string& root_name) {
    if (table.partition_root_load && root_name.empty()) {
        throw Error{ErrorKind::internal, "rows must go through a partitioned table that is not named"}.object(
            "table " + table.schema + "." + table.name);
    }
    const std::string name = root_name.empty() ? pq::quote_qualified(table.schema, table.name)
                                               : pq::quote_qualified(root_schema, root_name);
    std::string sql = "COPY " + name + column_list(table) + " FROM STDIN";
    return sql.append(options(format));
}

Format choose_format(const model::TableRows& rows, int source_version, int target_version) {
    constexpr int major = 10000;
    if (source_version / major != target_version / major) return Format::text;
    if (!rows.binary_safe || rows.columns.empty()) return Format::text;
    if (rows.rows <= 0 || rows.bytes == 0) return Format::text; // unknown width, or too little to matter
    const double row_bytes = static_cast<double>(rows.bytes) / rows.rows - row_overhead_bytes;
    const double column_bytes = row_bytes / static_cast<double>(rows.columns.size());
    return column_bytes >= binary_column_bytes_min ? Format::binary : Format::text;
}

} // namespace pgsluice::rows
