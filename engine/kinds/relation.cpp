#include "kinds/relation.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr Column columns[] = {
    {"relation", "a.attrelid"},
    {"name", "a.attname"},
    {"type", "pg_catalog.format_type(a.atttypid, a.atttypmod)"},
    {"collation_schema", "ln.nspname"},
    {"collation", "l.collname"},
    {"is_local", "a.attislocal"},
    {"has_default", "a.atthasdef"},
    {"has_identity", "a.attidentity <> ''"},
    {"not_null", "a.attnotnull"},
    {"not_null_valid",
     "coalesce((select k.convalidated from pg_catalog.pg_constraint k where k.conrelid = a.attrelid"
     " and k.contype = 'n' and k.conkey = array[a.attnum]), true)",
     18, "true"},
    {"not_null_no_inherit",
     "coalesce((select k.connoinherit from pg_catalog.pg_constraint k where k.conrelid = a.attrelid"
     " and k.contype = 'n' and k.conkey = array[a.attnum]), false)",
     18, "false"},
    {"not_null_name",
     "(select k.conname from pg_catalog.pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n'"
     " and k.conkey = array[a.attnum] and (k.conname <> c.relname || '_' || a.attname || '_not_null'"
     " or pg_catalog.obj_description(k.oid, 'pg_constraint') is not null))",
     18},
    {"inherits_not_null",
     "coalesce((select not k.conislocal from pg_catalog.pg_constraint k where k.conrelid = a.attrelid"
     " and k.contype = 'n' and k.conkey = array[a.attnum]), false)",
     18,
     "exists (select from pg_catalog.pg_inherits i join pg_catalog.pg_attribute p on p.attrelid = i.inhparent"
     " where i.inhrelid = a.attrelid and p.attname = a.attname and not p.attisdropped and p.attnotnull)"},
    {"inherits_default",
     "exists (select from pg_catalog.pg_inherits i join pg_catalog.pg_attribute p on p.attrelid = i.inhparent"
     " where i.inhrelid = a.attrelid and p.attname = a.attname and not p.attisdropped and p.atthasdef"
     " and p.attgenerated = '')"},
    {"inherits_expression",
     "a.attgenerated <> '' and exists (select from pg_catalog.pg_inherits i join pg_catalog.pg_attribute p"
     " on p.attrelid = i.inhparent join pg_catalog.pg_attrdef e on e.adrelid = p.attrelid"
     " and e.adnum = p.attnum where i.inhrelid = a.attrelid and p.attname = a.attname"
     " and p.attgenerated = a.attgenerated"
     " and pg_catalog.pg_get_expr(e.adbin, e.adrelid) = pg_catalog.pg_get_expr(d.adbin, d.adrelid))"},
    {"generated", "a.attgenerated"},
    {"expression", "case when a.attgenerated <> '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end"},
    // What CREATE TABLE would take from a parent must be said, though it is the type's own.
    {"storage", "case when a.attstorage <> t.typstorage or exists (select from pg_catalog.pg_inherits i"
                " join pg_catalog.pg_attribute p on p.attrelid = i.inhparent where i.inhrelid = a.attrelid"
                " and p.attname = a.attname and p.attstorage <> a.attstorage) then a.attstorage end"},
    {"type_storage", "t.typstorage"},
    {"compression",
     "case when a.attcompression = '' and exists (select from pg_catalog.pg_inherits i"
     " join pg_catalog.pg_attribute p on p.attrelid = i.inhparent where i.inhrelid = a.attrelid"
     " and p.attname = a.attname and p.attcompression <> '') then 'd' else a.attcompression end",
     14},
    {"statistics", "nullif(a.attstattarget, -1)"},
    // The minor releases of November 2026 keep a version of the column's type there: nobody's option.
    {"options", "array(select o from pg_catalog.unnest(a.attoptions) o"
                " where not pg_catalog.starts_with(o, 'pg_attver='))"},
    {"acl", "a.attacl"},
    {"acl_base", "pg_catalog.acldefault('c', c.relowner)"},
};

std::string_view storage_name(char letter) {
    switch (letter) {
    case 'p': return "PLAIN";
    case 'e': return "EXTERNAL";
    case 'm': return "MAIN";
    case 'x': return "EXTENDED";
    default: throw Error{ErrorKind::source, "the server sent an unknown storage of a column"};
    }
}

std::string_view compression_name(char letter) {
    switch (letter) {
    case 'p': return "pglz";
    case 'l': return "lz4";
    case 'd': return "default";
    default: throw Error{ErrorKind::source, "the server sent an unknown compression of a column"};
    }
}

void add_options(std::vector<std::string>& out, const std::vector<std::string>& options,
                 std::string_view prefix) {
    for (const std::string& option : options) {
        const std::size_t at = option.find('=');
        if (at == std::string::npos)
            throw Error{ErrorKind::source, "the server sent a storage option without a value"};
        out.push_back(std::string(prefix) + pq::quote_identifier(option.substr(0, at)) + "=" +
                      pq::quote_literal(option.substr(at + 1)));
    }
}

} // namespace

const std::span<const Column> relation_columns = columns;

void decode_relation_column(const Row& row, Reading& into) {
    model::Object* object = into.find(model::CatalogId{pg_class_class, row.oid("relation")});
    if (object == nullptr) return;
    RelationColumn column;
    column.name = row.text("name");
    column.type = row.text("type");
    column.collation_schema = row.text("collation_schema");
    column.collation = row.text("collation");
    column.is_local = row.boolean("is_local");
    column.has_default = row.boolean("has_default");
    column.has_identity = row.boolean("has_identity");
    column.not_null = row.boolean("not_null");
    column.not_null_valid = row.boolean("not_null_valid");
    column.not_null_no_inherit = row.boolean("not_null_no_inherit");
    column.not_null_name = row.text("not_null_name");
    column.inherits_not_null = row.boolean("inherits_not_null");
    column.inherits_default = row.boolean("inherits_default");
    column.inherits_expression = row.boolean("inherits_expression");
    column.generated = row.letter("generated");
    column.expression = row.text("expression");
    column.storage = row.letter("storage");
    column.type_storage = row.letter("type_storage");
    column.compression = row.letter("compression");
    if (row.get("statistics")) column.statistics = row.number("statistics");
    column.options = row.texts("options");
    if (row.get("acl")) object->column_acls[column.name] = read_acl(row);
    object->elements.push_back(column.name);
    if (column.has_identity || column.generated != '\0') object->computed_elements.insert(column.name);
    body_being_read<RelationBody>(*object).columns.push_back(std::move(column));
}

std::string column_settings(const model::Object& relation, const RelationColumn& column) {
    const std::string alter = "\nALTER TABLE ONLY " + qualified_address(relation) + " ALTER COLUMN " +
                              pq::quote_identifier(column.name) + " SET ";
    std::string ddl;
    if (column.statistics) ddl += alter + "STATISTICS " + std::to_string(*column.statistics) + ";";
    if (column.storage != '\0') ddl += alter + "STORAGE " + std::string(storage_name(column.storage)) + ";";
    if (column.compression != '\0')
        ddl += alter + "COMPRESSION " + std::string(compression_name(column.compression)) + ";";
    if (!column.options.empty()) ddl += alter + "(" + option_list(column.options) + ");";
    return ddl;
}

std::string collate_clause(const RelationColumn& column) {
    if (column.collation.empty()) return {};
    return " COLLATE " + pq::quote_qualified(column.collation_schema, column.collation);
}

std::string option_list(const std::vector<std::string>& options,
                        const std::vector<std::string>& toast_options) {
    std::vector<std::string> items;
    add_options(items, options, "");
    add_options(items, toast_options, "toast.");
    return join(items, ", ");
}

std::string with_clause(const std::vector<std::string>& options,
                        const std::vector<std::string>& toast_options) {
    if (options.empty() && toast_options.empty()) return {};
    return " WITH (" + option_list(options, toast_options) + ")";
}

std::string table_address(const model::Object& object) {
    return pq::quote_qualified(object.schema, object.table);
}

std::string address_on_table(const model::Object& object) {
    return pq::quote_identifier(object.name) + " ON " + table_address(object);
}

std::vector<model::CatalogId> read_ids(const Row& row, std::string_view column, model::Oid class_oid) {
    std::vector<model::CatalogId> ids;
    for (const model::Oid oid : row.oids(column)) ids.push_back({class_oid, oid});
    return ids;
}

void add_edges(model::CatalogId who, const std::vector<model::CatalogId>& needs,
               std::vector<model::Dependency>& out) {
    for (const model::CatalogId id : needs) out.push_back(model::Dependency{who, id, 'n'});
}

} // namespace pgsluice::kinds
