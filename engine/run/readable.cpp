#include "run/readable.hpp"

#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/rows_behind.hpp"

namespace pgsluice::run {

namespace {

std::set<merge::TableName> tables_to_read(const Context& context, const Catalogs& catalogs,
                                          const merge::RowPlan& rows) {
    std::set<merge::TableName> names;
    // Before a migration nobody knows more of what will come along.
    if (catalogs.stage == Catalogs::Stage::shared_part && context.options.extras == ExtrasChoice::keep)
        for (const model::NaturalKey& key : catalogs.match.only_target)
            if (key.kind == model::Kind::table && !catalogs.recorded.objects.contains(key))
                names.insert({key.schema, key.name});
    for (const RowsBehind& table : rows_behind_of_plan(catalogs)) names.insert({table.schema, table.name});
    for (const model::TableRows& table : catalogs.planned.database.rows)
        if (table.from_target) names.insert({table.schema, table.name});
    for (const merge::MergeTable& table : rows.tables) names.insert(table.name);
    return names;
}

} // namespace

Task<void> refuse_unreadable_rows(const Context& context, pq::Connection& target, const Catalogs& catalogs,
                                  const merge::RowPlan& rows) {
    std::string values;
    for (const merge::TableName& table : tables_to_read(context, catalogs, rows))
        values += (values.empty() ? "(" : ", (") + pq::quote_literal(table.schema) + ", " +
                  pq::quote_literal(table.name) + ")";
    if (values.empty()) co_return;
    const std::string sql =
        "select n.nspname as schema, c.relname as name, pg_catalog.has_table_privilege(c.oid, 'SELECT') as "
        "may_read from (values " +
        values +
        ") t(schema, name) join pg_catalog.pg_namespace n on n.nspname = t.schema join pg_catalog.pg_class c "
        "on "
        "c.relnamespace = n.oid and c.relname = t.name where c.relkind in ('r', 'p') and "
        "(not pg_catalog.has_table_privilege(c.oid, 'SELECT') or pg_catalog.row_security_active(c.oid)) "
        "order by 1, 2";
    const pq::Rows found = co_await target.rows(sql);
    if (found.empty()) co_return;
    const std::string name = pq::quote_qualified(found.at(0, "schema"), found.at(0, "name"));
    Error error{ErrorKind::refused, "the target's rows that come along cannot be read"};
    error.object("table " + one_line(name));
    if (found.size() > 1) error.detail(fmt::format("and of {} tables more", found.size() - 1));
    if (found.at(0, "may_read") != "t")
        throw error.hint("GRANT SELECT ON TABLE " + name +
                         " TO the target's role, or leave the table behind");
    throw error.hint(
        "row level security hides some of them: a role with BYPASSRLS sees all, its owner does after "
        "ALTER TABLE " +
        name + " NO FORCE ROW LEVEL SECURITY");
}

} // namespace pgsluice::run
