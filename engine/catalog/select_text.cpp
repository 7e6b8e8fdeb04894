// The pure part of a catalog query: its text.
#include <fmt/format.h>

#include "catalog/session.hpp"
#include "pq/quote.hpp"

namespace pgsluice::catalog {

std::string select_text(const kinds::Query& query, int server_major) {
    std::string sql = "select ";
    for (std::size_t i = 0; i < query.columns.size(); ++i) {
        const kinds::Column& column = query.columns[i];
        if (i > 0) sql += ", ";
        sql.append(column.since > server_major ? column.before : column.expression).append(" as ");
        sql += pq::quote_identifier(column.name);
    }
    return sql.append(" ").append(query.from);
}

std::string oid_array(const std::vector<model::Oid>& oids) {
    return fmt::format("'{{{}}}'::pg_catalog.oid[]", fmt::join(oids, ","));
}

} // namespace pgsluice::catalog
