// Checks of tables and of domains. Those that a table only inherits come with the inheritance; a partition is
// created stand-alone, so its checks are printed, inherited or not: ATTACH PARTITION wants them there.
#include "kinds/check.hpp"

#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct CheckBody : model::Body {
    std::string definition; // CHECK ((a > 0)) NO INHERIT NOT VALID
    bool validated = true;
    bool of_domain = false;
    // Tables that only inherit it and may have got their parents by ALTER TABLE ... INHERIT (table_ddl.cpp):
    // the server wants a table to have its parent's checks by then, or the check to come after.
    std::vector<model::Oid> heirs;
};

constexpr auto from = "from pg_catalog.pg_constraint k left join pg_catalog.pg_class c on c.oid = k.conrelid"
                      " left join pg_catalog.pg_type t on t.oid = k.contypid"
                      " join pg_catalog.pg_namespace n on n.oid = coalesce(c.relnamespace, t.typnamespace)"
                      " where k.contype = 'c' and (t.typtype = 'd' or c.relkind in ('r', 'p') and"
                      " (k.conislocal or c.relispartition and k.convalidated)) and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " and " +
                      no_member("pg_catalog.pg_type", "t.oid") + " order by k.oid";

constexpr Column columns[] = {
    {"oid", "k.oid"},
    {"schema", "n.nspname"},
    {"name", "k.conname"},
    {"table", "coalesce(c.relname, t.typname)"},
    {"relation", "c.oid"},
    {"definition", "pg_catalog.pg_get_constraintdef(k.oid)"},
    {"validated", "k.convalidated"},
    {"of_domain", "k.contypid <> 0"},
    {"heirs",
     "array(with recursive child (oid) as (select i.inhrelid from pg_catalog.pg_inherits i where"
     " i.inhparent = k.conrelid union select i.inhrelid from child join pg_catalog.pg_inherits i on "
     "i.inhparent ="
     " child.oid) select child.oid from child join pg_catalog.pg_class h on h.oid = child.oid join"
     " pg_catalog.pg_constraint o on o.conrelid = child.oid and o.contype = 'c' and o.conname = k.conname "
     "and not"
     " o.conislocal where not h.relispartition and not exists (select from pg_catalog.pg_attribute a where"
     " a.attrelid = child.oid and a.attnum > 0 and not a.attisdropped and not a.attislocal) order by "
     "child.oid)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::check, pg_constraint_class);
    object.table = row.text("table");
    if (row.get("relation")) object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<CheckBody>();
    body->definition = row.text("definition");
    body->validated = row.boolean("validated");
    body->of_domain = row.boolean("of_domain");
    body->heirs = row.oids("heirs");
    // For the graph: a check that rows may break is added after the rows.
    if (!body->validated) object.details["not_valid"] = "true";
    object.body = std::move(body);
    into.add(std::move(object));
}

bool is_separate(const model::Object& object, const Shape& shape) {
    return !body_of<CheckBody>(object).validated || shape.separate.contains(object.id);
}

std::string constraint_clause(const model::Object& object) {
    return "CONSTRAINT " + pq::quote_identifier(object.name) + " " + body_of<CheckBody>(object).definition;
}

Ddl write(const model::Object& object, const Context& context) {
    Ddl ddl;
    const std::string_view noun = body_of<CheckBody>(object).of_domain ? "DOMAIN " : "TABLE ";
    const std::string alter = "ALTER " + std::string(noun) + table_address(object);
    // Not ONLY: children inherit it. It stays NOT VALID where it is so: its rows may break it.
    // One of a partition that comes with its partitioned table's is made by that.
    const bool is_made = object.details.contains("with_parent") && !context.whole;
    if (!is_made && is_separate(object, context.shape))
        ddl.create = alter + " ADD " + constraint_clause(object);
    // The source's rows have never heard of the target's own checks.
    if (!ddl.create.empty() && object.extra && body_of<CheckBody>(object).validated) {
        ddl.create += " NOT VALID";
        ddl.validate = alter + " VALIDATE CONSTRAINT " + pq::quote_identifier(object.name) + ";";
    }
    if (!ddl.create.empty()) ddl.create += ";";
    ddl.drop = alter + " DROP CONSTRAINT " + pq::quote_identifier(object.name) + ";";
    return ddl;
}

std::string address(const model::Object& object) {
    if (!body_of<CheckBody>(object).of_domain) return address_on_table(object);
    return pq::quote_identifier(object.name) + " ON DOMAIN " + table_address(object);
}

void edges(const model::Object& object, const model::Database&, std::vector<model::Dependency>& out) {
    for (const model::Oid heir : body_of<CheckBody>(object).heirs)
        out.push_back({.who = object.id, .needs = {pg_class_class, heir}, .type = 'n'});
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

std::vector<std::string> inline_checks(const model::Object& table_or_domain, const Context& context) {
    std::vector<std::string> clauses;
    for (const model::Object& object :
         objects_of(context.database, model::Kind::check, table_or_domain.schema, table_or_domain.name))
        if (!is_separate(object, context.shape)) clauses.push_back(constraint_clause(object));
    return clauses;
}

const Descriptor check_kind = {.kind = model::Kind::check,
                               .tag = "CONSTRAINT",
                               .class_oid = pg_constraint_class,
                               .queries = queries,
                               .write = write,
                               .address = address,
                               .edges = edges};

} // namespace pgsluice::kinds
