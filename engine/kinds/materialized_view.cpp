// Materialized views are created empty and refreshed when all they may read is there.
#include <vector>

#include "kinds/registry.hpp"
#include "kinds/view.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// REFRESH fails when a materialized view below, also through views, holds no rows.
bool reads_only_populated(const model::Object& object, const model::Database& database) {
    std::set<model::CatalogId> seen = {object.id};
    std::vector<model::CatalogId> waiting = {object.id};
    while (!waiting.empty()) {
        const model::CatalogId who = waiting.back();
        waiting.pop_back();
        for (const model::Dependency& dependency : database.dependencies) {
            if (dependency.who != who || !seen.insert(dependency.needs).second) continue;
            const model::Object* needed = database.find(dependency.needs);
            if (needed == nullptr) continue;
            if (needed->kind == model::Kind::materialized_view && !body_of<ViewBody>(*needed).populated)
                return false;
            if (needed->kind == model::Kind::view || needed->kind == model::Kind::materialized_view)
                waiting.push_back(needed->id);
        }
    }
    return true;
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<ViewBody>(object);
    const std::string name = qualified_address(object);
    Ddl ddl;
    ddl.create = "CREATE MATERIALIZED VIEW " + name;
    if (!body.access_method.empty()) ddl.create += " USING " + pq::quote_identifier(body.access_method);
    ddl.create +=
        with_clause(body.options, body.toast_options) + " AS\n" + body.definition + "\n  WITH NO DATA;";
    for (const RelationColumn& column : body.columns) ddl.create += column_settings(object, column);
    ddl.drop = "DROP MATERIALIZED VIEW " + name + ";";
    if (body.populated && reads_only_populated(object, context.database))
        ddl.refresh = "REFRESH MATERIALIZED VIEW " + name + ";";
    return ddl;
}

void decode(const Row& row, Reading& into) { decode_view(row, model::Kind::materialized_view, into); }

constexpr auto from = views_from("'m'");
constexpr auto columns_from = relation_columns_from("'m'");

constexpr auto oids = "select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
                      " on n.oid = c.relnamespace where c.relkind = 'm' and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by c.oid";

const Query queries[] = {
    {.columns = view_columns, .from = from, .decode = decode},
    {.columns = relation_columns, .from = columns_from, .decode = decode_relation_column},
    {.columns = view_definition_columns,
     .from = view_definition_from,
     .decode = decode_view_definition,
     .oids_query = oids}};

} // namespace

const Descriptor materialized_view_kind = {.kind = model::Kind::materialized_view,
                                           .tag = "MATERIALIZED VIEW",
                                           .class_oid = pg_class_class,
                                           .has_owner = true,
                                           .has_acl = true,
                                           .acl_type = 'r',
                                           .queries = queries,
                                           .write = write,
                                           .address = qualified_address};

} // namespace pgsluice::kinds
