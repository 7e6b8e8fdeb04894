#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr auto from = "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace"
                      " where t.typtype = 'e' and " +
                      user_schema + " and " + no_member("pg_catalog.pg_type", "t.oid") + " order by t.oid";

constexpr Column columns[] = {
    {"oid", "t.oid"},
    {"schema", "n.nspname"},
    {"name", "t.typname"},
    {"owner", "pg_catalog.pg_get_userbyid(t.typowner)"},
    {"acl", "t.typacl"},
    {"acl_base", "pg_catalog.acldefault('T', t.typowner)"},
    {"labels", "array(select l.enumlabel from pg_catalog.pg_enum l where l.enumtypid = t.oid order by "
               "l.enumsortorder)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::enum_type, pg_type_class);
    read_rights(row, object);
    object.elements = row.texts("labels");
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context&) {
    Ddl ddl;
    const std::string name = qualified_address(object);
    ddl.create = "CREATE TYPE " + name + " AS ENUM (";
    std::string_view separator = "\n    ";
    for (const std::string& label : object.elements) {
        ddl.create.append(separator).append(pq::quote_literal(label));
        separator = ",\n    ";
    }
    ddl.create += "\n);";
    ddl.drop = "DROP TYPE " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor enum_type_kind = {.kind = model::Kind::enum_type,
                                   .tag = "TYPE",
                                   .class_oid = pg_type_class,
                                   .has_owner = true,
                                   .has_acl = true,
                                   .acl_type = 'T',
                                   .queries = queries,
                                   .write = write,
                                   .address = qualified_address};

} // namespace pgsluice::kinds
