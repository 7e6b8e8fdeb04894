#include "base/error.hpp"
#include "catalog/steps.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::catalog {

namespace {

// safe: types whose binary form means the same on every server of one major. Names behind oids (reg*,
// composites, arrays of user types, which carry their element's oid) do not; an enum travels as its label.
// xml's declares an encoding of its own; the rest of the exceptions have no binary form.
constexpr std::string_view with_sql = R"(
with recursive bases(oid, base) as (
    select t.oid, t.oid from pg_catalog.pg_type t where t.typtype <> 'd'
    union all
    select d.oid, b.base from bases b join pg_catalog.pg_type d on d.typtype = 'd' and d.typbasetype = b.oid
), safe(oid) as (
    select b.oid from bases b join pg_catalog.pg_type t on t.oid = b.base
      left join pg_catalog.pg_type e on e.oid = t.typelem
     where t.typtype = 'e' or (t.oid < 16384 and t.typtype in ('b', 'r', 'm')
           and (e.oid is null or e.typtype in ('b', 'r', 'm'))
           and t.typname !~ '^_?(reg.*|aclitem|xml|gtsvector|record|cstring|pg_(?!lsn$|snapshot$).*)$')
), columns(table_oid, names, xmins, is_safe) as (
    select a.attrelid,
           pg_catalog.array_agg(a.attname order by a.attnum) filter (where a.attgenerated = '' and not a.attisdropped),
           pg_catalog.string_agg(a.xmin::pg_catalog.text, ',' order by a.attnum),
           pg_catalog.bool_and(s.oid is not null) filter (where a.attgenerated = '' and not a.attisdropped)
      from pg_catalog.pg_attribute a left join safe s on s.oid = a.atttypid
     where a.attnum > 0 and a.attrelid >= 16384 group by a.attrelid
), ancestors(child, ancestor) as (
    select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i
      join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
    union all
    select p.child, i.inhparent from ancestors p join pg_catalog.pg_inherits i on i.inhrelid = p.ancestor
      join pg_catalog.pg_class c on c.oid = p.ancestor and c.relispartition
), by_enum_hash(oid) as (
    select p.child from ancestors p
      join pg_catalog.pg_partitioned_table t on t.partrelid = p.ancestor and t.partstrat = 'h'
      join pg_catalog.pg_opclass o on o.oid = any (t.partclass) and o.opcname = 'enum_ops' and o.oid < 16384
), configuration(oid, condition) as (
    select f.oid, f.condition from pg_catalog.pg_extension x
     cross join lateral rows from (pg_catalog.unnest(x.extconfig), pg_catalog.unnest(x.extcondition))
           as f(oid, condition)
     where x.extname <> 'pg_cron' -- its jobs are wires (unsupported.cpp)
), locked(oid) as (
    select l.relation from pg_catalog.pg_locks l
     where l.mode = 'AccessExclusiveLock' and l.relation is not null
       and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
)
)";

constexpr kinds::Column fact_columns[] = {
    {"oid", "c.oid"},         {"schema", "n.nspname"},
    {"name", "c.relname"},    {"relfilenode", "c.relfilenode"},
    {"class_xmin", "c.xmin"}, {"attribute_xmins", "k.xmins"},
};

constexpr kinds::Column row_columns[] = {
    {"oid", "c.oid"},
    {"schema", "n.nspname"},
    {"name", "c.relname"},
    {"relfilenode", "c.relfilenode"},
    {"class_xmin", "c.xmin"},
    {"attribute_xmins", "k.xmins"},
    {"columns", "k.names"},
    // pg_table_size opens the table: whoever has it or waits for it would keep even `plan` waiting.
    {"bytes", "case when c.oid in (select l.oid from locked l) then c.relpages * "
              "pg_catalog.current_setting('block_size')::pg_catalog.int8 else "
              "coalesce(pg_catalog.pg_table_size(c.oid), 0) end"},
    // Before 14 a table never analyzed says 0.
    {"rows", "c.reltuples", 14, "case when c.relpages = 0 and c.reltuples = 0 then -1 else c.reltuples end"},
    {"binary_safe", "coalesce(k.is_safe, true)"},
    {"unlogged", "c.relpersistence = 'u'"},
    {"partition_root_load", "c.oid in (select h.oid from by_enum_hash h)"},
    {"root_schema", "rn.nspname"},
    {"root_name", "r.relname"},
    {"condition", "f.condition"},
    {"is_configuration", "f.oid is not null"},
};

constexpr auto from =
    "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " left join columns k on k.table_oid = c.oid left join configuration f on f.oid = c.oid"
    " left join pg_catalog.pg_class r on c.relispartition and r.oid = pg_catalog.pg_partition_root(c.oid)"
    " left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace"
    " where c.relkind = 'r' and c.relpersistence in ('p', 'u') and (f.oid is not null or (" +
    kinds::user_schema + " and " + kinds::no_member("pg_catalog.pg_class", "c.oid") + ")) order by c.oid";

std::string rows_sql(std::span<const kinds::Column> columns, int server_major) {
    kinds::Query tables;
    tables.columns = columns;
    tables.from = from;
    return std::string(with_sql) + select_text(tables, server_major);
}

model::TableRows facts_of(const kinds::Row& row) {
    model::TableRows table;
    table.table = model::CatalogId{kinds::pg_class_class, row.oid("oid")};
    table.schema = row.text("schema");
    table.name = row.text("name");
    table.relfilenode = row.text("relfilenode");
    table.class_xmin = row.text("class_xmin");
    table.attribute_xmins = row.text("attribute_xmins");
    return table;
}

} // namespace

flow::Task<void> read_table_rows(Session& session, model::Database& database) {
    const pq::Rows rows =
        co_await query(session, rows_sql(row_columns, session.server_major), "tables with rows");
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        model::TableRows table = facts_of(row);
        table.columns = row.texts("columns");
        table.bytes = static_cast<std::uint64_t>(row.number("bytes"));
        table.rows = row.real("rows");
        table.binary_safe = row.boolean("binary_safe");
        table.unlogged = row.boolean("unlogged");
        table.partition_root_load = row.boolean("partition_root_load");
        table.root_schema = row.text("root_schema");
        table.root_name = row.text("root_name");
        table.condition = row.text("condition");
        table.is_configuration = row.boolean("is_configuration");
        database.rows.push_back(std::move(table));
    }
}

flow::Task<std::vector<model::TableRows>> read_row_facts(pq::Connection& connection) {
    Session session{connection, ReadOptions{}, connection.server_version() / 10000, 0};
    const pq::Rows rows =
        co_await query(session, rows_sql(fact_columns, session.server_major), "facts of tables");
    AnswerRow row(rows);
    std::vector<model::TableRows> tables;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        tables.push_back(facts_of(row));
    }
    co_return tables;
}

flow::Task<std::optional<model::TableRows>> read_row_facts(pq::Connection& connection,
                                                           model::CatalogId table) {
    const std::string sql =
        "select c.relfilenode, c.xmin as class_xmin, (select pg_catalog.string_agg(a.xmin::pg_catalog.text, "
        "',' order by a.attnum) from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0) as "
        "attribute_xmins from pg_catalog.pg_class c where c.oid = " +
        std::to_string(table.oid);
    const pq::Rows rows = co_await connection.rows(sql);
    if (rows.empty()) co_return std::nullopt;
    model::TableRows facts;
    facts.table = table;
    facts.relfilenode = rows.at(0, "relfilenode");
    facts.class_xmin = rows.at(0, "class_xmin");
    facts.attribute_xmins = rows.at(0, "attribute_xmins");
    co_return facts;
}

} // namespace pgsluice::catalog
