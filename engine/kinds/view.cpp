#include "kinds/view.hpp"

#include "base/text.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// The stand-in of a view in a loop: its columns and nothing that it reads.
std::string dummy_view(const model::Object& object) {
    std::vector<std::string> columns;
    for (const RelationColumn& column : body_of<ViewBody>(object).columns)
        columns.push_back("    NULL::" + column.type + collate_clause(column) + " AS " +
                          pq::quote_identifier(column.name));
    std::string ddl = "CREATE VIEW " + qualified_address(object) + " AS\nSELECT";
    if (!columns.empty()) ddl += "\n" + join(columns, ",\n");
    return ddl + ";";
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<ViewBody>(object);
    const bool replaces = context.shape.dummy.contains(object.id);
    Ddl ddl;
    if (replaces) ddl.dummy = dummy_view(object);
    ddl.create = std::string(replaces ? "CREATE OR REPLACE VIEW " : "CREATE VIEW ") +
                 qualified_address(object) + with_clause(body.options) + " AS\n" + body.definition;
    if (!body.check_option.empty()) ddl.create += "\n  WITH " + body.check_option + " CHECK OPTION";
    ddl.create += ";";
    ddl.drop = "DROP VIEW " + qualified_address(object) + ";";
    return ddl;
}

void decode(const Row& row, Reading& into) { decode_view(row, model::Kind::view, into); }

constexpr auto from = views_from("'v'");
constexpr auto columns_from = relation_columns_from("'v'");

constexpr auto oids = "select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
                      " on n.oid = c.relnamespace where c.relkind = 'v' and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by c.oid";

const Query queries[] = {
    {.columns = view_columns, .from = from, .decode = decode},
    {.columns = relation_columns, .from = columns_from, .decode = decode_relation_column},
    {.columns = view_definition_columns,
     .from = view_definition_from,
     .decode = decode_view_definition,
     .oids_query = oids}};

} // namespace

const Descriptor view_kind = {.kind = model::Kind::view,
                              .tag = "VIEW",
                              .class_oid = pg_class_class,
                              .has_owner = true,
                              .has_acl = true,
                              .acl_type = 'r',
                              .queries = queries,
                              .write = write,
                              .address = qualified_address};

} // namespace pgsluice::kinds
