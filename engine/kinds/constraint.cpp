// Primary keys, unique and exclusion constraints, with the index that each owns.
#include "base/text.hpp"
#include "kinds/index_parts.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct ConstraintBody : model::Body {
    IndexParts parts;
    char type = 'p';        // p, u, x
    std::string definition; // of exclusion constraints
    std::vector<std::string> columns, included;
    std::vector<std::string> options; // of the index
    bool nulls_not_distinct = false, without_overlaps = false;
    bool deferrable = false, deferred = false;
    std::optional<std::string> index_comment;
};

constexpr auto from = "from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid"
                      " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                      " join pg_catalog.pg_index i on i.indexrelid = k.conindid"
                      " join pg_catalog.pg_class x on x.oid = k.conindid" +
                      index_parts_join +
                      " where k.contype in ('p', 'u', 'x') and c.relkind in ('r', 'p') and " +
                      index_is_usable + " and " + user_schema + " and " +
                      no_member("pg_catalog.pg_class", "c.oid") + " order by k.oid";

constexpr Column own_columns[] = {
    {"oid", "k.oid"},
    {"schema", "n.nspname"},
    {"name", "k.conname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"type", "k.contype"},
    {"definition", "case when k.contype = 'x' then pg_catalog.pg_get_constraintdef(k.oid) end"},
    {"columns", "array(select a.attname from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality "
                "u(attnum, at)"
                " join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum"
                " where u.at <= i.indnkeyatts order by u.at)"},
    {"included", "array(select a.attname from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality "
                 "u(attnum, at)"
                 " join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum"
                 " where u.at > i.indnkeyatts order by u.at)"},
    {"options", "x.reloptions"},
    {"nulls_not_distinct", "i.indnullsnotdistinct", 15, "false"},
    {"without_overlaps", "k.conperiod", 18, "false"},
    {"deferrable", "k.condeferrable"},
    {"deferred", "k.condeferred"},
    {"index_comment", "pg_catalog.obj_description(x.oid, 'pg_class')"},
};
constexpr auto columns = with_index_parts(own_columns);

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::constraint, pg_constraint_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<ConstraintBody>();
    body->parts = read_index_parts(row);
    if (!body->parts.valid) object.details["invalid"] = "true";
    body->type = row.letter("type");
    body->definition = row.text("definition");
    body->columns = row.texts("columns");
    body->included = row.texts("included");
    body->options = row.texts("options");
    body->nulls_not_distinct = row.boolean("nulls_not_distinct");
    body->without_overlaps = row.boolean("without_overlaps");
    body->deferrable = row.boolean("deferrable");
    body->deferred = row.boolean("deferred");
    body->index_comment = row.optional_text("index_comment");
    object.body = std::move(body);
    into.add(std::move(object));
}

std::string when_checked(const ConstraintBody& body) {
    if (!body.deferrable) return {};
    return body.deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
}

// An index of its own can be built first, beside others of the table, and be adopted. Not on a partitioned
// table, and only with a plain unique index: WITHOUT OVERLAPS is GiST, and an exclusion constraint's
// operators are no index's.
bool adopts_index(const model::Object& object, const Context& context) {
    const auto& body = body_of<ConstraintBody>(object);
    return body.type != 'x' && !is_of_partitioned(object, body.parts.partitioned, context) &&
           !body.without_overlaps;
}

std::string key_clause(const ConstraintBody& body) {
    std::string clause = body.type == 'p' ? "PRIMARY KEY" : "UNIQUE";
    if (body.type == 'u' && body.nulls_not_distinct) clause += " NULLS NOT DISTINCT";
    clause += " (" + pq::quote_identifiers(body.columns);
    if (body.without_overlaps) clause += " WITHOUT OVERLAPS";
    clause += ")";
    if (!body.included.empty()) clause += " INCLUDE (" + pq::quote_identifiers(body.included) + ")";
    return clause + with_clause(body.options) + when_checked(body);
}

std::string definition_clause(const model::Object& object, const Context& context) {
    const auto& body = body_of<ConstraintBody>(object);
    if (body.type == 'x') return body.definition;
    if (!adopts_index(object, context)) return key_clause(body);
    return std::string(body.type == 'p' ? "PRIMARY KEY" : "UNIQUE") + " USING INDEX " +
           pq::quote_identifier(object.name) + when_checked(body);
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<ConstraintBody>(object);
    const std::string only = makes_parts(object, context) ? "" : "ONLY ";
    const std::string alter = "ALTER TABLE " + only + table_address(object);
    const std::string index = qualified_address(object);
    Ddl ddl;
    if (adopts_index(object, context)) ddl.build_index = create_index(object, body.parts, context);
    ddl.create = alter + " ADD CONSTRAINT " + pq::quote_identifier(object.name) + " " +
                 definition_clause(object, context) + ";";
    if (const std::string settings = index_settings(body.parts, table_address(object), object.name);
        !settings.empty())
        ddl.create += "\n" + settings;
    if (body.index_comment)
        ddl.create += "\nCOMMENT ON INDEX " + index + " IS " + pq::quote_literal(*body.index_comment) + ";";
    // The server refuses to drop a constraint whose index has a parent: it goes with it.
    if (body.parts.parent_name.empty())
        ddl.drop = alter + " DROP CONSTRAINT " + pq::quote_identifier(object.name) + ";";
    ddl.attach = attach_index(body.parts, index);
    return ddl;
}

void edges(const model::Object& object, const model::Database&, std::vector<model::Dependency>& out) {
    index_edges(object.id, body_of<ConstraintBody>(object).parts, out);
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor constraint_kind = {.kind = model::Kind::constraint,
                                    .tag = "CONSTRAINT",
                                    .class_oid = pg_constraint_class,
                                    .queries = queries,
                                    .write = write,
                                    .address = address_on_table,
                                    .edges = edges};

} // namespace pgsluice::kinds
