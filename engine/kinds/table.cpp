#include "kinds/table.hpp"

#include "base/error.hpp"
#include "kinds/registry.hpp"

namespace pgsluice::kinds {

namespace {

constexpr auto from = "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                      " left join pg_catalog.pg_class o on o.oid = c.reltoastrelid"
                      " left join pg_catalog.pg_am m on m.oid = c.relam where c.relkind in ('r', 'p') and " +
                      user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by c.oid";

constexpr Column columns[] = {
    {"oid", "c.oid"},
    {"schema", "n.nspname"},
    {"name", "c.relname"},
    {"owner", "pg_catalog.pg_get_userbyid(c.relowner)"},
    {"acl", "c.relacl"},
    {"acl_base", "pg_catalog.acldefault('r', c.relowner)"},
    {"unlogged", "c.relpersistence = 'u'"},
    {"options", "c.reloptions"},
    {"toast_options", "o.reloptions"},
    {"access_method", "case when m.amname <> 'heap' then m.amname end"},
    {"of_type", "case when c.reloftype <> 0 then pg_catalog.format_type(c.reloftype, -1) end"},
    {"partition_key", "case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end"},
    {"partition_bound", "case when c.relispartition then pg_catalog.pg_get_expr(c.relpartbound, c.oid) end"},
    // Schema and name in turn.
    {"parents",
     "array(select v.part from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent"
     " join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace cross join lateral"
     " pg_catalog.unnest(array[pn.nspname::pg_catalog.text, p.relname::pg_catalog.text])"
     " with ordinality v(part, at) where i.inhrelid = c.oid order by i.inhseqno, v.at)"},
    {"replica_identity", "c.relreplident"},
    {"row_security", "c.relrowsecurity"},
    {"force_row_security", "c.relforcerowsecurity"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::table, pg_class_class);
    read_rights(row, object);
    object.relation = object.id;
    auto body = std::make_shared<TableBody>();
    body->unlogged = row.boolean("unlogged");
    body->options = row.texts("options");
    body->toast_options = row.texts("toast_options");
    body->access_method = row.text("access_method");
    body->of_type = row.text("of_type");
    body->partition_key = row.text("partition_key");
    body->partition_bound = row.text("partition_bound");
    const std::vector<std::string> parents = row.texts("parents");
    if (parents.size() % 2 != 0)
        throw Error{ErrorKind::source, "the server sent a parent without a name"}.object(
            model::display_name(object));
    for (std::size_t i = 0; i < parents.size(); i += 2) body->parents.push_back({parents[i], parents[i + 1]});
    body->replica_identity = row.letter("replica_identity");
    body->row_security = row.boolean("row_security");
    body->force_row_security = row.boolean("force_row_security");
    // For the merge: where its columns come from.
    if (!body->of_type.empty()) object.details["typed"] = "true";
    if (!body->parents.empty()) object.details["inherits"] = "true";
    if (!body->partition_key.empty()) object.details["partitioned"] = "true";
    if (!body->partition_bound.empty()) object.details["partition"] = "true";
    object.body = std::move(body);
    into.add(std::move(object));
}

constexpr auto columns_from = relation_columns_from("'r', 'p'");

const Query queries[] = {
    {.columns = columns, .from = from, .decode = decode},
    {.columns = relation_columns, .from = columns_from, .decode = decode_relation_column}};

} // namespace

const Descriptor table_kind = {.kind = model::Kind::table,
                               .tag = "TABLE",
                               .class_oid = pg_class_class,
                               .has_owner = true,
                               .has_acl = true,
                               .acl_type = 'r',
                               .queries = queries,
                               .write = write_table,
                               .address = qualified_address,
                               .take_elements = take_columns};

} // namespace pgsluice::kinds
