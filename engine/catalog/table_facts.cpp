#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "catalog/steps.hpp"
#include "kinds/whole_row.hpp"

namespace pgsluice::catalog {

namespace {

// {0} of the queries below.
constexpr std::string_view of_user = "c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname !~ "
                                     "'^(pg_|information_schema$|pgsluice$)'";

constexpr std::string_view columns_sql = R"(
select c.oid, n.nspname as schema, c.relname as name,
    c.relispartition as is_partition, c.relkind = 'p' as is_partitioned,
    a.attname as column, pg_catalog.format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
    case when t.typtype = 'd' then (
        with recursive below(oid) as (
            select t.oid
            union all
            select d.typbasetype from below join pg_catalog.pg_type d on d.oid = below.oid and d.typtype = 'd')
        select pg_catalog.format_type(b.oid, null)
        from below join pg_catalog.pg_type b on b.oid = below.oid and b.typtype <> 'd')
    end as domain_of,
    a.atthasdef or a.attidentity <> '' as has_default, a.attgenerated <> '' as generated,
    a.attidentity <> '' or coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(', false)
        as from_sequence
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join (pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum)
    on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where {0}
order by c.oid, a.attnum)";

// Keys that are deferrable too; an index that is not valid guards nothing. A generated column stands for its
// expression: rows of another database are told by what it reads. Only collations of the user's own matter to
// equality.
constexpr std::string_view keys_sql = R"(
with found as (
    select c.oid as table_oid, pg_catalog.quote_ident(c.relname) as table_printed, i.*, x.relname as name,
        i.indpred is null and i.indexprs is null and not exists (
            select from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum = any (i.indkey::pg_catalog.int2[])
                and a.attgenerated <> '') as plain
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indrelid
    join pg_catalog.pg_class x on x.oid = i.indexrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where i.indisunique and i.indisvalid and {0})
select i.table_oid as oid, i.table_printed, i.name, i.indisprimary as is_primary,
    case when i.plain then (
        select pg_catalog.array_agg(a.attname order by k.place)
        from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality k(attnum, place)
        join pg_catalog.pg_attribute a on a.attrelid = i.table_oid and a.attnum = k.attnum
        where k.place <= i.indnkeyatts)
    else (
        with used as (
            select a.attnum, a.attgenerated, d.oid as default_oid
            from pg_catalog.pg_attribute a
            left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = i.table_oid and a.attnum > 0
                and (a.attnum = any (i.indkey::pg_catalog.int2[]) or exists (
                    select from pg_catalog.pg_depend p
                    where p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and p.objid = i.indexrelid
                        and p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        and p.refobjid = i.table_oid and p.refobjsubid = a.attnum)))
        select pg_catalog.array_agg(a.attname order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = i.table_oid and a.attgenerated = ''
            and (a.attnum in (select attnum from used) or exists (
                select from used u
                join pg_catalog.pg_depend p
                    on p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and p.objid = u.default_oid
                    or p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        and p.objid = i.table_oid and p.objsubid = u.attnum
                where u.attgenerated <> '' and p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and p.refobjid = i.table_oid and p.refobjsubid = a.attnum)))
    end as columns,
    case when not i.plain then (
        select pg_catalog.array_agg('('
            || coalesce(case when a.attgenerated <> '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end,
                pg_catalog.pg_get_indexdef(i.indexrelid, k, false))
            || ')'
            || coalesce(' collate ' || pg_catalog.quote_ident(ln.nspname) || '.'
                || pg_catalog.quote_ident(l.collname), '') order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts) k
        left join pg_catalog.pg_attribute a
            on a.attrelid = i.table_oid and a.attnum = i.indkey[k - 1] and a.attnum > 0
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_catalog.pg_collation l on l.oid = i.indcollation[k - 1] and l.oid >= 16384
        left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace)
    end as expressions,
    coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') as predicate,
    coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) as nulls_equal
from found i
order by i.table_oid, i.indisprimary desc, i.name)";

constexpr std::string_view references_sql = R"(
select c.oid, r.conname as name, pn.nspname as parent_schema, p.relname as parent_name,
    (select pg_catalog.array_agg(a.attname order by k.place)
        from pg_catalog.unnest(r.conkey) with ordinality k(attnum, place)
        join pg_catalog.pg_attribute a on a.attrelid = r.conrelid and a.attnum = k.attnum) as columns,
    (select pg_catalog.array_agg(a.attname order by k.place)
        from pg_catalog.unnest(r.confkey) with ordinality k(attnum, place)
        join pg_catalog.pg_attribute a on a.attrelid = r.confrelid and a.attnum = k.attnum) as parent_columns
from pg_catalog.pg_constraint r
join pg_catalog.pg_class c on c.oid = r.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class p on p.oid = r.confrelid
join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
where r.contype = 'f' and r.conparentid = 0 and {0}
order by c.oid, r.conname)";

flow::Task<pq::Rows> facts(Session& session, std::string_view sql, std::string doing) {
    std::string text = fmt::format(fmt::runtime(sql), of_user);
    co_return co_await query(session, std::move(text), std::move(doing));
}

} // namespace

flow::Task<void> read_table_facts(Session& session, model::Database& database) {
    std::unordered_map<std::string, std::size_t> by_oid;
    const pq::Rows columns = co_await facts(session, columns_sql, "columns of tables");
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
        if (const auto base = row.get("domain_of")) column.domain_of = *base;
        column.not_null = row.boolean("not_null");
        column.has_default = row.boolean("has_default");
        column.generated = row.boolean("generated");
        column.from_sequence = row.boolean("from_sequence");
        database.table_facts[at->second].columns.push_back(std::move(column));
    }
    const pq::Rows keys = co_await facts(session, keys_sql, "unique keys");
    AnswerRow key_row(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        key_row.move_to(i);
        const auto at = by_oid.find(key_row.text("oid"));
        if (at == by_oid.end()) continue;
        model::KeyFacts key;
        key.name = key_row.text("name");
        if (key_row.get("columns")) key.columns = key_row.texts("columns");
        key.primary = key_row.boolean("is_primary");
        if (key_row.get("expressions")) key.expressions = key_row.texts("expressions");
        key.predicate = key_row.text("predicate");
        key.nulls_equal = key_row.boolean("nulls_equal");
        const std::string printed = key_row.text("table_printed");
        const auto reads_row = [&](const std::string& expression) {
            return kinds::replace_whole_row(expression, printed, "").reads_row;
        };
        key.reads_row = reads_row(key.predicate) ||
                        std::any_of(key.expressions.begin(), key.expressions.end(), reads_row);
        database.table_facts[at->second].keys.push_back(std::move(key));
    }
    const pq::Rows references = co_await facts(session, references_sql, "references");
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
