// Stand-alone composite types. Their pg_class row is no object of ours: edges and comments on it belong to
// the type.
#include <algorithm>

#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct Attribute {
    std::string name, type, collation_schema, collation;
};

struct CompositeBody : model::Body {
    std::vector<Attribute> attributes;
};

constexpr auto types_from =
    "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace"
    " join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c' where " +
    user_schema + " and " + no_member("pg_catalog.pg_type", "t.oid") + " order by t.oid";

constexpr Column type_columns[] = {
    {"oid", "t.oid"},      {"schema", "n.nspname"},
    {"name", "t.typname"}, {"owner", "pg_catalog.pg_get_userbyid(t.typowner)"},
    {"acl", "t.typacl"},   {"acl_base", "pg_catalog.acldefault('T', t.typowner)"},
};

void decode_type(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::composite_type, pg_type_class);
    read_rights(row, object);
    object.body = std::make_shared<CompositeBody>();
    into.add(std::move(object));
}

constexpr auto attributes_from =
    sql("from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
        " and not a.attisdropped join pg_catalog.pg_type t on t.oid = a.atttypid"
        " left join pg_catalog.pg_collation l on l.oid = a.attcollation and a.attcollation <> t.typcollation"
        " left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace where c.relkind = 'c'"
        " order by c.reltype, a.attnum");

constexpr Column attribute_columns[] = {
    {"type_oid", "c.reltype"},
    {"name", "a.attname"},
    {"type", "pg_catalog.format_type(a.atttypid, a.atttypmod)"},
    {"collation_schema", "ln.nspname"},
    {"collation", "l.collname"},
};

void decode_attribute(const Row& row, Reading& into) {
    model::Object* object = into.find(model::CatalogId{pg_type_class, row.oid("type_oid")});
    if (object == nullptr || object->kind != model::Kind::composite_type) return;
    Attribute attribute;
    attribute.name = row.text("name");
    attribute.type = row.text("type");
    attribute.collation_schema = row.text("collation_schema");
    attribute.collation = row.text("collation");
    object->elements.push_back(attribute.name);
    body_being_read<CompositeBody>(*object).attributes.push_back(std::move(attribute));
}

std::string attribute_clause(const Attribute& attribute) {
    std::string clause = pq::quote_identifier(attribute.name) + " " + attribute.type;
    if (!attribute.collation.empty())
        clause += " COLLATE " + pq::quote_qualified(attribute.collation_schema, attribute.collation);
    return clause;
}

Ddl write(const model::Object& object, const Context& context) {
    Ddl ddl;
    const std::string name = qualified_address(object);
    const std::vector<std::string>& added = object.extra_elements;
    ddl.create = "CREATE TYPE " + name + " AS (";
    std::string_view separator = "\n    ";
    for (const Attribute& attribute : body_of<CompositeBody>(object).attributes) {
        const std::string clause = attribute_clause(attribute);
        if (!context.whole && std::find(added.begin(), added.end(), attribute.name) != added.end()) {
            ddl.add_elements += (ddl.add_elements.empty() ? "" : "\n") +
                                ("ALTER TYPE " + name + " ADD ATTRIBUTE ") + clause + ";";
            continue;
        }
        ddl.create.append(separator).append(clause);
        separator = ",\n    ";
    }
    ddl.create += "\n);";
    ddl.drop = "DROP TYPE " + name + ";";
    return ddl;
}

std::vector<std::string> take_attributes(model::Object& shared, const model::Object& theirs,
                                         const ElementsToTake& take) {
    auto body = std::make_shared<CompositeBody>(body_of<CompositeBody>(shared));
    for (const Attribute& attribute : body_of<CompositeBody>(theirs).attributes) {
        if (!take.names.contains(attribute.name)) continue;
        body->attributes.push_back(attribute);
        shared.elements.push_back(attribute.name);
        shared.extra_elements.push_back(attribute.name);
    }
    shared.body = std::move(body);
    return {};
}

constexpr Query queries[] = {
    {.columns = type_columns, .from = types_from, .decode = decode_type},
    {.columns = attribute_columns, .from = attributes_from, .decode = decode_attribute}};

} // namespace

const Descriptor composite_type_kind = {.kind = model::Kind::composite_type,
                                        .tag = "TYPE",
                                        .class_oid = pg_type_class,
                                        .has_owner = true,
                                        .has_acl = true,
                                        .acl_type = 'T',
                                        .queries = queries,
                                        .write = write,
                                        .address = qualified_address,
                                        .take_elements = take_attributes};

} // namespace pgsluice::kinds
