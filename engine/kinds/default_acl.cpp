// ALTER DEFAULT PRIVILEGES: one object per role, schema and sort of object.
#include "base/text.hpp"
#include "kinds/acl.hpp"
#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// In a schema the entry adds to the role's global one, so it starts from nothing.
constexpr auto from =
    "from pg_catalog.pg_default_acl d left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace"
    " where n.oid is null or " +
    user_schema + " order by d.oid";

constexpr Column columns[] = {
    {"oid", "d.oid"},
    {"schema", "n.nspname"},
    {"name", "pg_catalog.pg_get_userbyid(d.defaclrole)"},
    {"noun", "case d.defaclobjtype when 'r' then 'TABLES' when 'S' then 'SEQUENCES' when 'f' then 'FUNCTIONS'"
             " when 'T' then 'TYPES' when 'n' then 'SCHEMAS' when 'L' then 'LARGE OBJECTS' end"},
    {"acl", "d.defaclacl"},
    {"acl_base", "case when d.defaclnamespace = 0 then pg_catalog.acldefault("
                 "case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole) end"},
};

// The role is the name, the sort of object the arguments: together with the schema the natural key.
void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::default_acl, pg_default_acl_class);
    object.arguments = row.text("noun");
    object.acl = read_acl(row);
    into.add(std::move(object));
}

std::string address(const model::Object& object) {
    std::string text = "FOR ROLE " + pq::quote_identifier(object.name);
    if (!object.schema.empty()) text += " IN SCHEMA " + pq::quote_identifier(object.schema);
    return text;
}

Ddl write(const model::Object& object, const Context&) {
    const model::Acl& acl = object.acl;
    AclWording wording;
    wording.before = "ALTER DEFAULT PRIVILEGES " + address(object) + " ";
    wording.on = object.arguments;
    Ddl ddl;
    ddl.create = join(acl_statements(wording, acl.base, acl.current), "\n");
    ddl.drop = join(acl_statements(wording, acl.current, acl.base), "\n");
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor default_acl_kind = {.kind = model::Kind::default_acl,
                                     .tag = "DEFAULT PRIVILEGES",
                                     .class_oid = pg_default_acl_class,
                                     .has_comment = false,
                                     .queries = queries,
                                     .write = write,
                                     .address = address};

} // namespace pgsluice::kinds
