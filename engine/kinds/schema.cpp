#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr auto from = "from pg_catalog.pg_namespace n where " + user_schema + " and " +
                      no_member("pg_catalog.pg_namespace", "n.oid") + " order by n.oid";

constexpr Column columns[] = {
    {"oid", "n.oid"},
    {"schema", "null"},
    {"name", "n.nspname"},
    {"owner", "pg_catalog.pg_get_userbyid(n.nspowner)"},
    {"acl", "n.nspacl"},
    {"acl_base", "pg_catalog.acldefault('n', n.nspowner)"},
    // On schema public of a new database.
    {"everybodys", "'U'", 15, "'UC'"},
};

// `public` is there in every new database, and not with acldefault(): initdb grants on it.
void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::schema, pg_namespace_class);
    read_rights(row, object);
    if (object.name == "public") {
        model::Grant owners, everybodys;
        owners.grantee = owners.grantor = everybodys.grantor = object.owner;
        owners.privileges = "UC";
        everybodys.privileges = row.text("everybodys");
        object.acl.base = {owners, everybodys};
    }
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context&) {
    Ddl ddl;
    const std::string name = pq::quote_identifier(object.name);
    // --template may have brought it along, with the extension in it.
    if (object.name != "public") ddl.create = "CREATE SCHEMA IF NOT EXISTS " + name + ";";
    ddl.drop = "DROP SCHEMA " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor schema_kind = {.kind = model::Kind::schema,
                                .tag = "SCHEMA",
                                .class_oid = pg_namespace_class,
                                .has_owner = true,
                                .has_acl = true,
                                .acl_type = 'n',
                                .queries = queries,
                                .write = write,
                                .address = qualified_address};

} // namespace pgsluice::kinds
