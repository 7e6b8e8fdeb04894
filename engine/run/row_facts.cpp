#include "run/row_facts.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "kinds/whole_row.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

// ('public', 'users'), ...
std::string names_of(const merge::RowPlan& plan) {
    std::string names;
    for (const merge::MergeTable& table : plan.tables)
        names += (names.empty() ? "(" : ", (") + pq::quote_literal(table.name.schema) + ", " +
                 pq::quote_literal(table.name.name) + ")";
    return names;
}

// The sequence that the default asks, else the one that the column owns. Types whose arrays cannot be
// compared have no equality.
constexpr std::string_view columns_sql = R"(
select n.nspname as schema, c.relname as name, a.attname as column, a.attnotnull as not_null,
    a.attgenerated <> '' as generated, a.attidentity <> '' as identity,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression, a.atttypid in (20, 21, 23) as integer,
    (select pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        from pg_catalog.pg_depend p
        join pg_catalog.pg_class s on s.relkind = 'S' and s.oid =
            case when p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass then p.objid else p.refobjid end
        join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
        where p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            and (p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and p.refobjid = c.oid and p.refobjsubid = a.attnum and p.deptype in ('a', 'i')
                or p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and p.objid = d.oid)
        order by p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass desc
        limit 1) as sequence,
    e.typname not in ('json', 'xml', 'point', 'box', 'circle', 'path', 'polygon', 'line', 'lseg',
            'pg_snapshot', 'txid_snapshot', 'aclitem', 'gtsvector')
        and (e.oid < 16384 or e.typtype <> 'b'
            or exists (select from pg_catalog.pg_opclass o
                join pg_catalog.pg_am m on m.oid = o.opcmethod
                where o.opcintype = e.oid and o.opcdefault and m.amname in ('btree', 'hash'))) as has_equality
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
join pg_catalog.pg_type e on e.oid = case
    when b.typcategory = 'A' and b.typelem <> 0 then b.typelem
    when b.typtype = 'd' then b.typbasetype
    else b.oid end
left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where (n.nspname, c.relname) in ({})
order by c.oid, a.attnum)";

constexpr std::string_view keys_sql = R"(
select n.nspname as schema, c.relname as name, pg_catalog.quote_ident(c.relname) as row, x.relname as key,
    coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') as predicate,
    coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) as nulls_equal,
    i.indexprs is null and i.indpred is null as plain,
    coalesce(r.contype = 'x', false) as exclusion,
    (select pg_catalog.array_agg(distinct a.attname)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0
            and (a.attnum = any (i.indkey::pg_catalog.int2[])
                or exists (select from pg_catalog.pg_depend p
                    where p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and p.objid = i.indexrelid
                        and p.refobjid = c.oid and p.refobjsubid = a.attnum))) as needs,
    (select pg_catalog.array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts) k) as expressions,
    (select pg_catalog.array_agg(coalesce(a.attname, '') order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts) k
        left join pg_catalog.pg_attribute a
            on a.attrelid = c.oid and a.attnum = i.indkey[k - 1] and a.attnum > 0) as columns,
    (select pg_catalog.array_agg(case when l.collname is null then ''
            else pg_catalog.quote_ident(ln.nspname) || '.' || pg_catalog.quote_ident(l.collname) end order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts) k
        left join pg_catalog.pg_collation l on l.oid = i.indcollation[k - 1]
        left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace) as collations,
    (select pg_catalog.array_agg(
            'operator(' || pg_catalog.quote_ident(opn.nspname) || '.' || o.oprname || ')' order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts) k
        join pg_catalog.pg_opclass oc on oc.oid = i.indclass[k - 1]
        join pg_catalog.pg_operator o on o.oid = coalesce(case when r.contype = 'x' then r.conexclop[k] end,
            (select ao.amopopr from pg_catalog.pg_amop ao
                where ao.amopfamily = oc.opcfamily and ao.amoplefttype = oc.opcintype
                    and ao.amoprighttype = oc.opcintype and ao.amopstrategy = 3))
        join pg_catalog.pg_namespace opn on opn.oid = o.oprnamespace) as operators
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_class x on x.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_constraint r on r.conindid = i.indexrelid and r.contype in ('p', 'u', 'x')
where (i.indisunique or r.contype = 'x') and (n.nspname, c.relname) in ({})
order by c.oid, x.relname)";

constexpr std::string_view checks_sql = R"(
select n.nspname as schema, c.relname as name, pg_catalog.quote_ident(c.relname) as row, r.conname as check,
    (select pg_catalog.array_agg(a.attname)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum = any (r.conkey)) as needs,
    pg_catalog.pg_get_expr(r.conbin, r.conrelid) as expression
from pg_catalog.pg_constraint r
join pg_catalog.pg_class c on c.oid = r.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where r.contype = 'c' and (n.nspname, c.relname) in ({})
order by c.oid, r.conname)";

// Of a partitioned table whatever one of its leaves takes, of a partition what it takes itself. One that has
// no constraint takes all.
constexpr std::string_view partitions_sql = R"(
with recursive tree(root, oid) as (
    select c.oid, c.oid
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where (c.relkind = 'p' or c.relispartition) and (n.nspname, c.relname) in ({})
    union all
    select t.root, i.inhrelid from tree t join pg_catalog.pg_inherits i on i.inhparent = t.oid),
leaf as (
    select t.root, pg_catalog.pg_get_partition_constraintdef(t.oid) as takes
    from tree t
    join pg_catalog.pg_class c on c.oid = t.oid and c.relkind <> 'p')
select n.nspname as schema, c.relname as name,
    coalesce((select pg_catalog.string_agg('(' || l.takes || ')', ' or ') from leaf l where l.root = c.oid),
        'false') as expression,
    (select pg_catalog.array_agg(distinct a.attname)
        from tree t
        join pg_catalog.pg_depend p on p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            and p.objid = t.oid and p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            and p.refobjid = t.oid and p.refobjsubid = 0 and p.deptype = 'i'
        join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = p.objsubid and a.attnum > 0
        where t.root = c.oid) as needs
from tree t
join pg_catalog.pg_class c on c.oid = t.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where t.root = t.oid and not exists (select from leaf l where l.root = c.oid and l.takes is null)
order by c.oid)";

std::string text(const pq::Rows& rows, std::size_t i, std::string_view column) {
    return std::string(rows.at(i, column));
}

bool is_true(const pq::Rows& rows, std::size_t i, std::string_view column) {
    return rows.at(i, column) == "t";
}

// No name at all is NULL.
std::vector<std::string> names(const pq::Rows& rows, std::size_t i, std::string_view column) {
    const auto array = rows.get(i, column);
    if (!array) return {};
    return kinds::parse_array(*array);
}

// The plan's table of this row.
std::size_t table_of(const merge::RowPlan& plan, const pq::Rows& rows, std::size_t row) {
    const merge::TableName name{text(rows, row, "schema"), text(rows, row, "name")};
    std::size_t i = 0;
    while (plan.tables[i].name != name) ++i;
    return i;
}

// Expressions of one table. A staging table has no such row: one of the table's type is made of its columns.
class Expressions {
public:
    Expressions(const merge::TableName& table, std::string printed, const std::vector<std::string>& columns)
        : printed_(std::move(printed)), columns_(columns),
          row_("(ROW(" + pq::quote_identifiers(columns) +
               ")::" + pq::quote_qualified(table.schema, table.name) + ")") {}

    std::string take(const std::string& text) {
        kinds::RowReading reading = kinds::replace_whole_row(text, printed_, row_);
        reads_row_ = reads_row_ || reading.reads_row;
        return std::move(reading.text);
    }

    std::vector<std::string> needs(const std::vector<std::string>& named) const {
        return reads_row_ ? columns_ : named;
    }

    bool read_row() const { return reads_row_; }

private:
    std::string printed_;
    const std::vector<std::string>& columns_;
    std::string row_;
    bool reads_row_ = false;
};

void take_column(const pq::Rows& rows, std::size_t i, merge::TableNow& table) {
    const std::string column = text(rows, i, "column");
    const std::string expression = text(rows, i, "expression");
    const std::string sequence = text(rows, i, "sequence");
    if (is_true(rows, i, "generated")) {
        table.generated.emplace_back(column, expression);
        return;
    }
    if (is_true(rows, i, "not_null")) table.not_null.insert(column);
    if (!is_true(rows, i, "has_equality")) table.no_equality.insert(column);
    if (is_true(rows, i, "identity"))
        table.defaults[column] =
            "pg_catalog.nextval(" + pq::quote_literal(sequence) + "::pg_catalog.regclass)";
    else if (!expression.empty())
        table.defaults[column] = expression;
    if (!sequence.empty()) table.sequences.push_back({column, sequence, "", is_true(rows, i, "integer")});
}

merge::TableNow::Check taken_by_partition(const pq::Rows& rows, std::size_t i) {
    merge::TableNow::Check check;
    check.name = "of the partitions";
    check.expression = "(" + text(rows, i, "expression") + ") is true";
    check.needs = names(rows, i, "needs");
    check.why =
        "no partition of " + one_line(text(rows, i, "schema") + "." + text(rows, i, "name")) + " takes it";
    return check;
}

} // namespace

Task<std::vector<merge::TableNow>> read_tables_now(pq::Connection& session, const merge::RowPlan& plan) {
    std::vector<merge::TableNow> now(plan.tables.size());
    const std::string tables = names_of(plan);
    const std::string columns_text = fmt::format(columns_sql, tables);
    const pq::Rows columns = co_await session.rows(columns_text);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::size_t table = table_of(plan, columns, i);
        take_column(columns, i, now[table]);
        now[table].columns.push_back(text(columns, i, "column"));
    }
    const std::string keys_text = fmt::format(keys_sql, tables);
    const pq::Rows keys = co_await session.rows(keys_text);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::size_t table = table_of(plan, keys, i);
        Expressions expressions(plan.tables[table].name, text(keys, i, "row"), now[table].columns);
        merge::TableNow::Key key;
        key.name = text(keys, i, "key");
        key.predicate = expressions.take(text(keys, i, "predicate"));
        for (const std::string& expression : kinds::parse_array(keys.at(i, "expressions")))
            key.expressions.push_back(expressions.take(expression));
        key.operators = kinds::parse_array(keys.at(i, "operators"));
        key.collations = kinds::parse_array(keys.at(i, "collations"));
        key.needs = expressions.needs(names(keys, i, "needs"));
        key.whole_row = expressions.read_row();
        key.nulls_equal = is_true(keys, i, "nulls_equal");
        if (is_true(keys, i, "plain") && !is_true(keys, i, "exclusion"))
            key.columns = kinds::parse_array(keys.at(i, "columns"));
        now[table].keys.push_back(std::move(key));
    }
    const std::string checks_text = fmt::format(checks_sql, tables);
    const pq::Rows checks = co_await session.rows(checks_text);
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const std::size_t table = table_of(plan, checks, i);
        Expressions expressions(plan.tables[table].name, text(checks, i, "row"), now[table].columns);
        merge::TableNow::Check check;
        check.name = text(checks, i, "check");
        check.expression = expressions.take(text(checks, i, "expression"));
        check.needs = expressions.needs(names(checks, i, "needs"));
        check.whole_row = expressions.read_row();
        now[table].checks.push_back(std::move(check));
    }
    const std::string partitions_text = fmt::format(partitions_sql, tables);
    const pq::Rows partitions = co_await session.rows(partitions_text);
    for (std::size_t i = 0; i < partitions.size(); ++i)
        now[table_of(plan, partitions, i)].checks.push_back(taken_by_partition(partitions, i));
    co_return now;
}

Task<void> read_target_sequences(pq::Connection& target, const merge::RowPlan& plan,
                                 std::vector<merge::TableNow>& now) {
    const std::vector<merge::TableNow> theirs = co_await read_tables_now(target, plan);
    for (std::size_t i = 0; i < now.size(); ++i) {
        for (const merge::TableNow::Sequence& sequence : theirs[i].sequences) {
            const std::string sql = "select coalesce(pg_catalog.pg_sequence_last_value(" +
                                    pq::quote_literal(sequence.sequence) +
                                    "::pg_catalog.regclass)::text, '')";
            std::string value = co_await target.value(sql);
            for (merge::TableNow::Sequence& ours : now[i].sequences)
                if (ours.column == sequence.column) ours.target_value = value;
        }
    }
}

} // namespace pgsluice::run
