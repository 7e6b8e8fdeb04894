// Triggers of tables, views and partitioned tables. The clones that a partition gets from its parent come
// with the parent's trigger; one is an object of ours only when its enabled state is its own.
#include "base/error.hpp"
#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct TriggerBody : model::Body {
    std::string definition;
    char enabled = 'O'; // O origin, D disabled, R replica, A always
    bool clone = false;
    std::vector<model::CatalogId> parent;
};

// Up to 14 clones count as internal, from 15 on they do not; triggers of foreign keys always do.
constexpr auto from = "from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid"
                      " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                      " left join pg_catalog.pg_trigger u on u.oid = t.tgparentid"
                      " where c.relkind in ('r', 'p', 'v') and (not t.tgisinternal and t.tgparentid = 0"
                      " or t.tgenabled <> u.tgenabled and not exists (select from pg_catalog.pg_constraint k"
                      " where k.oid = t.tgconstraint and k.contype <> 't')) and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " and " +
                      no_member("pg_catalog.pg_trigger", "t.oid") + " order by t.oid";

constexpr Column columns[] = {
    {"oid", "t.oid"},
    {"schema", "n.nspname"},
    {"name", "t.tgname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"definition", "pg_catalog.pg_get_triggerdef(t.oid, false)"},
    {"enabled", "t.tgenabled"},
    {"clone", "t.tgparentid <> 0"},
    // All above: the state of each is set downwards.
    {"parents", "array(with recursive up(oid) as (select t.tgparentid union all select p.tgparentid from up"
                " join pg_catalog.pg_trigger p on p.oid = up.oid) select up.oid from up where up.oid <> 0)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::trigger, pg_trigger_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<TriggerBody>();
    body->definition = row.text("definition");
    body->enabled = row.letter("enabled");
    body->clone = row.boolean("clone");
    body->parent = read_ids(row, "parents", pg_trigger_class);
    object.body = std::move(body);
    into.add(std::move(object));
}

std::string_view enabled_clause(char enabled) {
    switch (enabled) {
    case 'O': return "ENABLE TRIGGER ";
    case 'D': return "DISABLE TRIGGER ";
    case 'R': return "ENABLE REPLICA TRIGGER ";
    case 'A': return "ENABLE ALWAYS TRIGGER ";
    default: throw Error{ErrorKind::source, "the server sent an unknown state of a trigger"};
    }
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<TriggerBody>(object);
    // Not ONLY: clones follow, and those with a state of their own are set after it.
    const std::string set_state = "ALTER TABLE " + table_address(object) + " " +
                                  std::string(enabled_clause(body.enabled)) +
                                  pq::quote_identifier(object.name) + ";";
    Ddl ddl;
    if (body.clone) {
        ddl.after_rows = set_state;
        return ddl;
    }
    ddl.create = body.definition + ";";
    if (body.enabled != 'O') ddl.create += "\n" + set_state;
    ddl.drop = "DROP TRIGGER " + address_on_table(object) + ";";
    return ddl;
}

void edges(const model::Object& object, const model::Database&, std::vector<model::Dependency>& out) {
    add_edges(object.id, body_of<TriggerBody>(object).parent, out);
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor trigger_kind = {.kind = model::Kind::trigger,
                                 .tag = "TRIGGER",
                                 .class_oid = pg_trigger_class,
                                 .queries = queries,
                                 .write = write,
                                 .address = address_on_table,
                                 .edges = edges};

} // namespace pgsluice::kinds
