// Indexes that no constraint owns, of tables, partitioned tables and materialized views.
#include "kinds/index_parts.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct IndexBody : model::Body {
    IndexParts parts;
    std::string table; // in the index's schema
    std::vector<std::string> statistics_columns, statistics_targets;
};

constexpr auto from =
    "from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid"
    " join pg_catalog.pg_class c on c.oid = i.indrelid"
    " join pg_catalog.pg_namespace n on n.oid = x.relnamespace" +
    index_parts_join +
    " where c.relkind in ('r', 'p', 'm') and not exists (select from pg_catalog.pg_constraint k"
    " where k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')) and " +
    index_is_usable + " and " + user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " and " +
    no_member("pg_catalog.pg_class", "x.oid") + " order by x.oid";

constexpr Column own_columns[] = {
    {"oid", "x.oid"},
    {"schema", "n.nspname"},
    {"name", "x.relname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"statistics_columns",
     "array(select a.attnum from pg_catalog.pg_attribute a where a.attrelid = x.oid and a.attstattarget >= 0"
     " order by a.attnum)"},
    {"statistics_targets",
     "array(select a.attstattarget from pg_catalog.pg_attribute a where a.attrelid = x.oid"
     " and a.attstattarget >= 0 order by a.attnum)"},
};
constexpr auto columns = with_index_parts(own_columns);

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::index, pg_class_class);
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<IndexBody>();
    body->table = row.text("table");
    body->parts = read_index_parts(row);
    if (!body->parts.valid) object.details["invalid"] = "true";
    for (const model::CatalogId& attnum : read_ids(row, "statistics_columns", 0))
        body->statistics_columns.push_back(std::to_string(attnum.oid));
    for (const model::CatalogId& target : read_ids(row, "statistics_targets", 0))
        body->statistics_targets.push_back(std::to_string(target.oid));
    object.body = std::move(body);
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<IndexBody>(object);
    const std::string name = qualified_address(object);
    Ddl ddl;
    ddl.create = create_index(object, body.parts, context);
    const std::size_t targets = std::min(body.statistics_columns.size(), body.statistics_targets.size());
    for (std::size_t i = 0; i < targets; ++i)
        ddl.create += "\nALTER INDEX " + name + " ALTER COLUMN " + body.statistics_columns[i] +
                      " SET STATISTICS " + body.statistics_targets[i] + ";";
    // The server refuses to drop an index that has a parent: it goes with it.
    if (body.parts.parent_name.empty()) ddl.drop = "DROP INDEX " + name + ";";
    ddl.attach = attach_index(body.parts, name);
    // A step of its own: it needs the table for itself, which others build indexes of meanwhile.
    ddl.after_rows = index_settings(body.parts, pq::quote_qualified(object.schema, body.table), object.name);
    return ddl;
}

void edges(const model::Object& object, const model::Database&, std::vector<model::Dependency>& out) {
    index_edges(object.id, body_of<IndexBody>(object).parts, out);
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor index_kind = {.kind = model::Kind::index,
                               .tag = "INDEX",
                               .class_oid = pg_class_class,
                               .queries = queries,
                               .write = write,
                               .address = qualified_address,
                               .edges = edges};

} // namespace pgsluice::kinds
