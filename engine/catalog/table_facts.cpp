#include <unordered_map>

#include "catalog/steps.hpp"

namespace pgsluice::catalog {

namespace {

constexpr std::string_view of_user = " c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname !~ "
                                     "'^(pg_|information_schema$|pgsluice$)' ";

const std::string columns_sql =
    "select c.oid, n.nspname as schema, c.relname as name, c.relispartition as is_partition, c.relkind = 'p' "
    "as is_partitioned, a.attname as column, pg_catalog.format_type(a.atttypid, a.atttypmod) as type, "
    "a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default, a.attgenerated <> '' as "
    "generated, a.attidentity <> '' or coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\\(', "
    "false) as from_sequence from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
    "c.relnamespace left join (pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on d.adrelid = "
    "a.attrelid and d.adnum = a.attnum) on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where" +
    std::string(of_user) + "order by c.oid, a.attnum";

// Keys that are deferrable too; an index that is not valid guards nothing.
const std::string keys_sql =
    "select c.oid, x.relname as name, i.indisprimary as is_primary, (select "
    "pg_catalog.array_agg(a.attname order by k.place) from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) "
    "with ordinality k(attnum, place) join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = "
    "k.attnum where k.place <= i.indnkeyatts) as columns from pg_catalog.pg_index i join pg_catalog.pg_class "
    "c on c.oid = i.indrelid join pg_catalog.pg_class x on x.oid = i.indexrelid join "
    "pg_catalog.pg_namespace n on n.oid = c.relnamespace where i.indisunique and i.indisvalid and i.indpred "
    "is null and i.indexprs is null and" +
    std::string(of_user) + "order by c.oid, i.indisprimary desc, x.relname";

const std::string references_sql =
    "select c.oid, r.conname as name, pn.nspname as parent_schema, p.relname as parent_name, (select "
    "pg_catalog.array_agg(a.attname order by k.place) from pg_catalog.unnest(r.conkey) with ordinality "
    "k(attnum, place) join pg_catalog.pg_attribute a on a.attrelid = r.conrelid and a.attnum = k.attnum) as "
    "columns, (select pg_catalog.array_agg(a.attname order by k.place) from pg_catalog.unnest(r.confkey) "
    "with ordinality k(attnum, place) join pg_catalog.pg_attribute a on a.attrelid = r.confrelid and "
    "a.attnum = k.attnum) as parent_columns from pg_catalog.pg_constraint r join pg_catalog.pg_class c on "
    "c.oid = r.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_class p "
    "on p.oid = r.confrelid join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace where r.contype = 'f' "
    "and r.conparentid = 0 and" +
    std::string(of_user) + "order by c.oid, r.conname";

} // namespace

flow::Task<void> read_table_facts(Session& session, model::Database& database) {
    std::unordered_map<std::string, std::size_t> by_oid;
    const pq::Rows columns = co_await query(session, columns_sql, "columns of tables");
    AnswerRow row(columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        row.move_to(i);
        const auto [at, is_new] = by_oid.emplace(row.text("oid"), database.table_facts.size());
        if (is_new) {
            model::TableFacts table;
            table.schema = row.text("schema");
            table.name = row.text("name");
            table.is_partition = row.boolean("is_partition");
            table.is_partitioned = row.boolean("is_partitioned");
            database.table_facts.push_back(std::move(table));
        }
        if (!row.get("column")) continue; // a table without columns
        model::ColumnFacts column;
        column.name = row.text("column");
        column.type = row.text("type");
        column.not_null = row.boolean("not_null");
        column.has_default = row.boolean("has_default");
        column.generated = row.boolean("generated");
        column.from_sequence = row.boolean("from_sequence");
        database.table_facts[at->second].columns.push_back(std::move(column));
    }
    const pq::Rows keys = co_await query(session, keys_sql, "unique keys");
    AnswerRow key_row(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        key_row.move_to(i);
        const auto at = by_oid.find(key_row.text("oid"));
        if (at == by_oid.end()) continue;
        model::KeyFacts key;
        key.name = key_row.text("name");
        key.columns = key_row.texts("columns");
        key.primary = key_row.boolean("is_primary");
        database.table_facts[at->second].keys.push_back(std::move(key));
    }
    const pq::Rows references = co_await query(session, references_sql, "references");
    AnswerRow reference_row(references);
    for (std::size_t i = 0; i < references.size(); ++i) {
        reference_row.move_to(i);
        const auto at = by_oid.find(reference_row.text("oid"));
        if (at == by_oid.end()) continue;
        model::ReferenceFacts reference;
        reference.name = reference_row.text("name");
        reference.parent_schema = reference_row.text("parent_schema");
        reference.parent_name = reference_row.text("parent_name");
        reference.columns = reference_row.texts("columns");
        reference.parent_columns = reference_row.texts("parent_columns");
        database.table_facts[at->second].references.push_back(std::move(reference));
    }
}

} // namespace pgsluice::catalog
