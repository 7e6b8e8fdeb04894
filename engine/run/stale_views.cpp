#include "run/stale_views.hpp"

#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

Task<void> note_materialized_views(Context& context, pq::Connection& inside,
                                   std::vector<merge::TableName> tables) {
    if (tables.empty()) co_return;
    std::string names;
    for (const merge::TableName& table : tables)
        names += fmt::format("{}({}, {})", names.empty() ? "" : ", ", pq::quote_literal(table.schema),
                             pq::quote_literal(table.name));
    const std::string sql =
        "with recursive readers(oid) as (select c.oid from pg_catalog.pg_class c join "
        "pg_catalog.pg_namespace n on n.oid = c.relnamespace where (n.nspname::pg_catalog.text, "
        "c.relname::pg_catalog.text) in (" +
        names +
        ") union select r.ev_class from readers x join pg_catalog.pg_depend d on d.refclassid = "
        "'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = x.oid and d.classid = "
        "'pg_catalog.pg_rewrite'::pg_catalog.regclass join pg_catalog.pg_rewrite r on r.oid = d.objid) "
        "select n.nspname as schema, c.relname as name from readers x join pg_catalog.pg_class c on c.oid = "
        "x.oid and c.relkind = 'm' and c.relispopulated join pg_catalog.pg_namespace n on n.oid = "
        "c.relnamespace order by schema, name limit 20";
    const pq::Rows rows = co_await inside.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i)
        context.note("materialized view " +
                         one_line(std::string(rows.at(i, "schema")) + "." + std::string(rows.at(i, "name"))),
                     "reads a table into which rows of the target were merged: it shows them after its next "
                     "REFRESH");
}

} // namespace pgsluice::run
