#include "kinds/column_default.hpp"

#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct DefaultBody : model::Body {
    std::string expression;
    bool always_separate = false; // of a view, or of a column that CREATE TABLE inherits and does not name
};

constexpr auto from =
    "from pg_catalog.pg_attrdef d join pg_catalog.pg_class c on c.oid = d.adrelid"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum"
    " where c.relkind in ('r', 'p', 'v') and a.attgenerated = '' and not a.attisdropped and " +
    user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by d.oid";

constexpr Column columns[] = {
    {"oid", "d.oid"},
    {"schema", "n.nspname"},
    {"name", "a.attname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"expression", "pg_catalog.pg_get_expr(d.adbin, d.adrelid)"},
    {"always_separate", "c.relkind = 'v' or not (a.attislocal or c.relispartition)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::column_default, pg_attrdef_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<DefaultBody>();
    body->expression = row.text("expression");
    body->always_separate = row.boolean("always_separate");
    object.body = std::move(body);
    into.add(std::move(object));
}

// The column of one that only the target has is what it is in the new database: own or inherited.
bool is_always_separate(const model::Object& object, const Context& context) {
    const model::Object* table = object.extra ? context.database.find(object.relation) : nullptr;
    if (table == nullptr || table->kind != model::Kind::table || table->extra)
        return body_of<DefaultBody>(object).always_separate;
    if (table->details.contains("partition")) return false;
    for (const RelationColumn& column : body_of<RelationBody>(*table).columns)
        if (column.name == object.name) return !column.is_local;
    return false;
}

bool is_separate(const model::Object& object, const Context& context) {
    return is_always_separate(object, context) || context.shape.separate.contains(object.id);
}

Ddl write(const model::Object& object, const Context& context) {
    Ddl ddl;
    const std::string alter =
        "ALTER TABLE ONLY " + table_address(object) + " ALTER COLUMN " + pq::quote_identifier(object.name);
    // One that comes with the parent's column is there already.
    const bool is_made = object.details.contains("with_parent") && !context.whole;
    if (!is_made && is_separate(object, context))
        ddl.create = alter + " SET DEFAULT " + body_of<DefaultBody>(object).expression + ";";
    ddl.drop = alter + " DROP DEFAULT;";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

std::optional<std::string> inline_default(const model::Object& table, const std::string& column,
                                          const Context& context) {
    const model::NaturalKey key{model::Kind::column_default, table.schema, table.name, column, ""};
    const model::Object* found = context.database.find(key);
    if (found == nullptr || is_separate(*found, context)) return std::nullopt;
    return body_of<DefaultBody>(*found).expression;
}

const Descriptor column_default_kind = {.kind = model::Kind::column_default,
                                        .tag = "DEFAULT",
                                        .class_oid = pg_attrdef_class,
                                        .has_comment = false,
                                        .queries = queries,
                                        .write = write,
                                        .address = address_on_table};

} // namespace pgsluice::kinds
