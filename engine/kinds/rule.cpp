// Rules of tables and views. The _RETURN rule of a view is the view itself.
#include "base/error.hpp"
#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct RuleBody : model::Body {
    std::string definition; // with its semicolon
    char enabled = 'O';     // O origin, D disabled, R replica, A always
};

constexpr Column columns[] = {
    {"oid", "r.oid"},
    {"schema", "n.nspname"},
    {"name", "r.rulename"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"definition", "pg_catalog.pg_get_ruledef(r.oid)"},
    {"enabled", "r.ev_enabled"},
};

// pg_get_ruledef() locks what the rule's queries read.
constexpr std::string_view from =
    "from pg_catalog.pg_rewrite r join pg_catalog.pg_class c on c.oid = r.ev_class"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace where r.oid = any ($oids$) order by r.oid";
constexpr auto oids =
    "select r.oid from pg_catalog.pg_rewrite r join pg_catalog.pg_class c on c.oid = r.ev_class"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " where r.rulename <> '_RETURN' and c.relkind in ('r', 'p', 'v') and " +
    user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " and " +
    no_member("pg_catalog.pg_rewrite", "r.oid") + " order by r.oid";

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::rule, pg_rewrite_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<RuleBody>();
    body->definition = row.text("definition");
    body->enabled = row.letter("enabled");
    object.body = std::move(body);
    into.add(std::move(object));
}

std::string_view enabled_clause(char enabled) {
    switch (enabled) {
    case 'O': return "";
    case 'D': return "DISABLE RULE ";
    case 'R': return "ENABLE REPLICA RULE ";
    case 'A': return "ENABLE ALWAYS RULE ";
    default: throw Error{ErrorKind::source, "the server sent an unknown state of a rule"};
    }
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<RuleBody>(object);
    Ddl ddl;
    ddl.create = body.definition;
    if (const std::string_view clause = enabled_clause(body.enabled); !clause.empty())
        ddl.create += "\nALTER TABLE " + table_address(object) + " " + std::string(clause) +
                      pq::quote_identifier(object.name) + ";";
    ddl.drop = "DROP RULE " + address_on_table(object) + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode, .oids_query = oids}};

} // namespace

const Descriptor rule_kind = {.kind = model::Kind::rule,
                              .tag = "RULE",
                              .class_oid = pg_rewrite_class,
                              .queries = queries,
                              .write = write,
                              .address = address_on_table};

} // namespace pgsluice::kinds
