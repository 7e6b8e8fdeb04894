// Foreign keys: added NOT VALID, which is instant, then validated under weak locks. Up to 17 a partitioned
// table takes no NOT VALID key: each of its leaf partitions gets its own first, under the name that it has in
// the source, checked side by side, and the table's key then adopts them without reading a row.
#include "kinds/registry.hpp"
#include "kinds/relation.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct ForeignKeyBody : model::Body {
    std::string definition; // FOREIGN KEY (a) REFERENCES s.t(b) ... [NOT VALID]
    bool validated = true;
    bool partitioned = false;              // the referencing table
    std::vector<model::CatalogId> adopter; // of a leaf partition's key: the partitioned table's
};

constexpr Column columns[] = {
    {"oid", "k.oid"},
    {"schema", "n.nspname"},
    {"name", "k.conname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"referenced", "k.confrelid"},
    {"definition", "pg_catalog.pg_get_constraintdef(k.oid)"},
    {"validated", "k.convalidated"},
    {"partitioned", "c.relkind = 'p'"},
    {"adopter", "array(select null::pg_catalog.oid where false)"},
};
constexpr auto from = "from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid"
                      " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                      " where k.contype = 'f' and k.conparentid = 0 and c.relkind in ('r', 'p') and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by k.oid";

// Keys that the server made for partitions of the *referenced* table have the same parent, but not its
// referenced table.
constexpr Column leaf_columns[] = {
    {"oid", "k.oid"},
    {"schema", "n.nspname"},
    {"name", "k.conname"},
    {"table", "c.relname"},
    {"relation", "c.oid"},
    {"referenced", "k.confrelid"},
    {"definition", "pg_catalog.pg_get_constraintdef(k.oid)"},
    {"validated", "k.convalidated"},
    {"partitioned", "false"},
    {"adopter", "array[t.root]"},
};
constexpr auto leaves_from =
    "from (with recursive tree(root, oid, relation, referenced) as ("
    "select k.oid, k.oid, k.conrelid, k.confrelid from pg_catalog.pg_constraint k"
    " join pg_catalog.pg_class r on r.oid = k.conrelid and r.relkind = 'p'"
    " where k.contype = 'f' and k.conparentid = 0 and k.convalidated"
    " union all select tree.root, p.oid, p.conrelid, p.confrelid from tree join pg_catalog.pg_constraint p"
    " on p.conparentid = tree.oid and p.contype = 'f' and p.confrelid = tree.referenced"
    " join pg_catalog.pg_inherits i on i.inhrelid = p.conrelid and i.inhparent = tree.relation)"
    " select tree.root, tree.oid from tree) t(root, oid)"
    " join pg_catalog.pg_constraint k on k.oid = t.oid"
    " join pg_catalog.pg_class c on c.oid = k.conrelid and c.relkind = 'r'"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace where " +
    user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by k.oid";

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::foreign_key, pg_constraint_class);
    object.table = row.text("table");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<ForeignKeyBody>();
    body->definition = row.text("definition");
    body->validated = row.boolean("validated");
    body->partitioned = row.boolean("partitioned");
    body->adopter = read_ids(row, "adopter", pg_constraint_class);
    // Adding a key locks both tables: lock sets name both.
    object.details["referenced_oid"] = std::to_string(row.oid("referenced"));
    if (!body->validated) object.details["not_valid"] = "true";
    object.body = std::move(body);
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<ForeignKeyBody>(object);
    // The table of one that only the target has is what it is in the new database.
    const model::Object* table = object.extra ? context.database.find(object.relation) : nullptr;
    const bool partitioned = table == nullptr ? body.partitioned : table->details.contains("partitioned");
    const std::string_view only = partitioned ? "" : "ONLY ";
    const std::string alter = "ALTER TABLE " + std::string(only) + table_address(object);
    const std::string name = pq::quote_identifier(object.name);
    Ddl ddl;
    ddl.create = alter + " ADD CONSTRAINT " + name + " " + body.definition;
    // It stays NOT VALID where it is so. What an earlier run could not validate is a line of
    // pgsluice.pending.
    if (body.validated && !partitioned) {
        ddl.create += " NOT VALID";
        ddl.validate = alter + " VALIDATE CONSTRAINT " + name + ";";
    }
    ddl.create += ";";
    // The server refuses to drop a key that its table's key has adopted: it goes with it.
    if (body.adopter.empty()) ddl.drop = alter + " DROP CONSTRAINT " + name + ";";
    return ddl;
}

void edges(const model::Object& object, const model::Database&, std::vector<model::Dependency>& out) {
    add_edges(object.id, body_of<ForeignKeyBody>(object).adopter, out);
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode},
                             {.columns = leaf_columns, .from = leaves_from, .decode = decode}};

} // namespace

const Descriptor foreign_key_kind = {.kind = model::Kind::foreign_key,
                                     .tag = "CONSTRAINT",
                                     .class_oid = pg_constraint_class,
                                     .queries = queries,
                                     .write = write,
                                     .address = address_on_table,
                                     .edges = edges};

} // namespace pgsluice::kinds
