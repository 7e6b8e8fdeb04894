#include "base/text.hpp"
#include "kinds/check.hpp"
#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct DomainBody : model::Body {
    std::string base_type;                   // with modifier, qualified
    std::string collation_schema, collation; // empty: the base type's own
    std::optional<std::string> default_expression;
    bool not_null = false;
    std::string not_null_name; // 17 on, when a person chose it
};

constexpr auto from =
    "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace"
    " join pg_catalog.pg_type b on b.oid = t.typbasetype"
    " left join pg_catalog.pg_collation c on c.oid = t.typcollation and t.typcollation <> b.typcollation"
    " left join pg_catalog.pg_namespace cn on cn.oid = c.collnamespace"
    " where t.typtype = 'd' and " +
    user_schema + " and " + no_member("pg_catalog.pg_type", "t.oid") + " order by t.oid";

constexpr Column columns[] = {
    {"oid", "t.oid"},
    {"schema", "n.nspname"},
    {"name", "t.typname"},
    {"owner", "pg_catalog.pg_get_userbyid(t.typowner)"},
    {"acl", "t.typacl"},
    {"acl_base", "pg_catalog.acldefault('T', t.typowner)"},
    {"base_type", "pg_catalog.format_type(t.typbasetype, t.typtypmod)"},
    {"collation_schema", "cn.nspname"},
    {"collation", "c.collname"},
    // Without a tree the default is a plain text, as the type's input function takes it.
    {"default_expression",
     "coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass),"
     " pg_catalog.quote_literal(t.typdefault))"},
    {"not_null", "t.typnotnull"},
    {"not_null_name",
     "(select k.conname from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'n'"
     " and k.conname <> t.typname || '_not_null')",
     17},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::domain, pg_type_class);
    read_rights(row, object);
    auto body = std::make_shared<DomainBody>();
    body->base_type = row.text("base_type");
    body->collation_schema = row.text("collation_schema");
    body->collation = row.text("collation");
    body->default_expression = row.optional_text("default_expression");
    body->not_null = row.boolean("not_null");
    body->not_null_name = row.text("not_null_name");
    object.body = std::move(body);
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<DomainBody>(object);
    Ddl ddl;
    const std::string name = qualified_address(object);
    ddl.create = "CREATE DOMAIN " + name + " AS " + body.base_type;
    if (!body.collation.empty())
        ddl.create += " COLLATE " + pq::quote_qualified(body.collation_schema, body.collation);
    if (body.default_expression) ddl.create += " DEFAULT " + *body.default_expression;
    if (body.not_null) {
        if (!body.not_null_name.empty())
            ddl.create += " CONSTRAINT " + pq::quote_identifier(body.not_null_name);
        ddl.create += " NOT NULL";
    }
    for (const std::string& check : inline_checks(object, context)) ddl.create += "\n    " + check;
    ddl.create += ";";
    ddl.drop = "DROP DOMAIN " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor domain_kind = {.kind = model::Kind::domain,
                                .tag = "DOMAIN",
                                .class_oid = pg_type_class,
                                .has_owner = true,
                                .has_acl = true,
                                .acl_type = 'T',
                                .queries = queries,
                                .write = write,
                                .address = qualified_address};

} // namespace pgsluice::kinds
