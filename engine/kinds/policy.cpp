// Row security policies. Whether a table's policies are in force is the table's after_rows.
#include "base/error.hpp"
#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct PolicyBody : model::Body {
    bool permissive = true;
    char command = '*'; // r, a, w, d, * all
    std::optional<std::string> using_expression, with_check;
};

constexpr Column columns[] = {
    {"oid", "p.oid"},
    {"schema", "n.nspname"},
    {"name", "p.polname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"permissive", "p.polpermissive"},
    {"command", "p.polcmd"},
    {"roles",
     "array(select r.rolname from pg_catalog.pg_roles r where r.oid = any (p.polroles) order by r.rolname)"},
    {"everybody", "0 = any (p.polroles)"},
    {"using_expression", "pg_catalog.pg_get_expr(p.polqual, p.polrelid)"},
    {"with_check", "pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)"},
};

// A policy may hold subqueries, and writing them out locks what they read.
constexpr std::string_view from =
    "from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace where p.oid = any ($oids$) order by p.oid";
constexpr auto oids =
    "select p.oid from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace where " +
    user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by p.oid";

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::policy, pg_policy_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<PolicyBody>();
    body->permissive = row.boolean("permissive");
    body->command = row.letter("command");
    object.roles = row.texts("roles");
    // Without roles it would be everybody's: never by a role that the server does not name.
    if (object.roles.empty() && !row.boolean("everybody"))
        throw Error{ErrorKind::source, "the server names no role of a policy"}.object(
            model::display_name(object));
    body->using_expression = row.optional_text("using_expression");
    body->with_check = row.optional_text("with_check");
    object.body = std::move(body);
    into.add(std::move(object));
}

std::string_view command_clause(char command) {
    switch (command) {
    case '*': return "";
    case 'r': return " FOR SELECT";
    case 'a': return " FOR INSERT";
    case 'w': return " FOR UPDATE";
    case 'd': return " FOR DELETE";
    default: throw Error{ErrorKind::source, "the server sent an unknown command of a policy"};
    }
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<PolicyBody>(object);
    Ddl ddl;
    ddl.create = "CREATE POLICY " + address_on_table(object);
    if (!body.permissive) ddl.create += " AS RESTRICTIVE";
    ddl.create += command_clause(body.command);
    if (!object.roles.empty()) ddl.create += " TO " + pq::quote_identifiers(object.roles);
    if (body.using_expression) ddl.create += " USING (" + *body.using_expression + ")";
    if (body.with_check) ddl.create += " WITH CHECK (" + *body.with_check + ")";
    ddl.create += ";";
    ddl.drop = "DROP POLICY " + address_on_table(object) + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode, .oids_query = oids}};

} // namespace

const Descriptor policy_kind = {.kind = model::Kind::policy,
                                .tag = "POLICY",
                                .class_oid = pg_policy_class,
                                .queries = queries,
                                .write = write,
                                .address = address_on_table};

} // namespace pgsluice::kinds
