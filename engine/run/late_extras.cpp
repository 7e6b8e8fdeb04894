#include "run/late_extras.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using pq::quote_identifier;
using pq::quote_literal;

std::string display(const WatchedTable& table) {
    return "table " + one_line(table.schema + "." + table.name);
}

std::string only(const WatchedTable& table) {
    return (table.partitioned ? "" : "only ") + pq::quote_qualified(table.schema, table.name);
}

// t."a", t."b"
std::string columns_of(char of, const std::vector<std::string>& columns) {
    std::string list;
    for (const std::string& column : columns)
        list += fmt::format("{}{}.{}", list.empty() ? "" : ", ", of, quote_identifier(column));
    return list;
}

std::string column_list(const std::vector<std::string>& columns) {
    return columns.empty() ? "" : " (" + pq::quote_identifiers(columns) + ")";
}

Task<bool> exists(pq::Connection& session, const WatchedTable& table) {
    const std::string sql = "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on "
                            "n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname = " +
                            quote_literal(table.schema) + " and c.relname = " + quote_literal(table.name);
    const std::string found = co_await session.value(sql);
    co_return found != "0";
}

// The equality by which the key's own index tells rows apart, by column: not always pg_catalog's, and with
// the empty search_path no other would be found.
Task<std::map<std::string, std::string>> key_operators(pq::Connection& session, const WatchedTable& table) {
    const std::string sql = fmt::format(R"(
select i.indexrelid, a.attname, o.oprname, s.nspname
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join lateral rows from (pg_catalog.unnest(i.indkey::pg_catalog.int2[]),
    pg_catalog.unnest(i.indclass::pg_catalog.oid[])) as u(attnum, opclass)
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
join pg_catalog.pg_opclass p on p.oid = u.opclass
join pg_catalog.pg_amop m on m.amopfamily = p.opcfamily and m.amoplefttype = p.opcintype
    and m.amoprighttype = p.opcintype and m.amopstrategy = 3
join pg_catalog.pg_am am on am.oid = p.opcmethod and am.amname = 'btree'
join pg_catalog.pg_operator o on o.oid = m.amopopr
join pg_catalog.pg_namespace s on s.oid = o.oprnamespace
where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    and n.nspname = {} and c.relname = {}
order by i.indisprimary desc, i.indexrelid)",
                                        quote_literal(table.schema), quote_literal(table.name));
    const pq::Rows rows = co_await session.rows(sql);
    const std::set<std::string> wanted(table.key.begin(), table.key.end());
    std::map<std::string, std::map<std::string, std::string>> by_index;
    constexpr std::string_view letters = "+-*/<>=~!@#%^&|`?";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string_view name = rows.at(i, "oprname");
        if (name.find_first_not_of(letters) != std::string_view::npos) continue;
        by_index[std::string(rows.at(i, "indexrelid"))][std::string(rows.at(i, "attname"))] =
            "operator(" + quote_identifier(rows.at(i, "nspname")) + "." + std::string(name) + ")";
    }
    for (const auto& [index, operators] : by_index) {
        std::set<std::string> columns;
        for (const auto& [column, name] : operators) columns.insert(column);
        if (columns == wanted) co_return operators;
    }
    std::map<std::string, std::string> none;
    co_return none;
}

// As TargetRows tells keys apart: by their text. The operator lets the index be used.
std::string same_key_sql(const WatchedTable& table, const std::map<std::string, std::string>& operators) {
    std::string sql;
    for (const std::string& column : table.key) {
        const std::string name = quote_identifier(column);
        if (!sql.empty()) sql += " and ";
        if (const auto found = operators.find(column); found != operators.end())
            sql += "t." + name + " " + found->second + " s." + name + " and ";
        sql += "pg_catalog.format('%s', t." + name +
               ") collate pg_catalog.\"C\" = pg_catalog.format('%s', s." + name + ")";
    }
    return sql;
}

} // namespace

Task<std::uint64_t> copy_across(pq::Connection& from, std::string query, pq::Connection& to,
                                std::string into) {
    const std::string out_sql = "copy (" + query + ") to stdout", in_sql = "copy " + into + " from stdin";
    pq::CopyOut out = co_await from.copy_out(out_sql);
    pq::CopyIn in = co_await to.copy_in(in_sql);
    std::string block(limits::block_bytes_max, '\0');
    for (;;) {
        const std::size_t bytes = co_await out.read(block.data(), block.size());
        if (bytes == 0) break;
        const std::string_view part(block.data(), bytes);
        co_await in.put(part);
    }
    const std::uint64_t received = co_await in.finish();
    if (received != out.rows())
        throw Error{ErrorKind::verification, "not all rows arrived"}.detail(
            fmt::format("{} sent, {} received", out.rows(), received));
    co_return received;
}

Task<void> LateExtras::stage() {
    for (const WatchedTable& table : tables_) {
        const bool there = co_await exists(*inside_, table);
        if (!there) continue;
        Late late;
        late.table = table;
        late.changes = co_await target_->find_changes(table);
        if (!late.changes.any()) continue;
        try {
            if (late.changes.whole || late.changes.changed > 0) co_await stage_rows(late, late_.size());
            if (late.changes.deleted > 0) co_await stage_keys(late, late_.size());
        } catch (Error& error) {
            throw error.during("cannot take over what changed on the target").object(display(table));
        }
        const std::map<std::string, std::string> operators = co_await key_operators(*inside_, table);
        late.same_key = same_key_sql(table, operators);
        late_.push_back(std::move(late));
    }
}

Task<void> LateExtras::stage_rows(Late& late, std::size_t number) {
    late.rows = fmt::format("pgsluice.late_rows_{}", number);
    const std::string create = "drop table if exists " + late.rows + "; create unlogged table " + late.rows +
                               " as select " + columns_of('t', late.table.columns) + " from " +
                               only(late.table) + " t with no data";
    co_await inside_->command(create);
    const std::string query = target_->changed_rows_sql(late.table);
    const std::string into = late.rows + column_list(late.table.columns);
    const std::uint64_t rows = co_await copy_across(target_->session(), query, *inside_, into);
    if (late.changes.whole) late.changes.changed = rows;
    const std::string analyze = "analyze " + late.rows;
    co_await inside_->command(analyze, limits::statement_wait_max);
}

Task<void> LateExtras::stage_keys(Late& late, std::size_t number) {
    late.keys = fmt::format("pgsluice.late_keys_{}", number);
    const std::string create = "drop table if exists " + late.keys + "; create unlogged table " + late.keys +
                               " as select " + columns_of('t', late.table.key) + " from " + only(late.table) +
                               " t with no data";
    co_await inside_->command(create);
    const std::string query = target_->deleted_keys_sql(late.table);
    const std::string into = late.keys + column_list(late.table.key);
    co_await copy_across(target_->session(), query, *inside_, into);
    const std::string analyze = "analyze " + late.keys;
    co_await inside_->command(analyze, limits::statement_wait_max);
}

std::vector<merge::TableName> LateExtras::changed() const {
    std::vector<merge::TableName> names;
    for (const Late& late : late_) names.push_back({late.table.schema, late.table.name});
    return names;
}

std::vector<merge::TableName> LateExtras::shrinking() const {
    std::vector<merge::TableName> names;
    for (const Late& late : late_)
        if (late.changes.whole || late.changes.deleted > 0)
            names.push_back({late.table.schema, late.table.name});
    return names;
}

std::string LateExtras::staged_rows(const merge::TableName& table) const {
    for (const Late& late : late_)
        if (late.table.schema == table.schema && late.table.name == table.name) return late.rows;
    return "";
}

std::uint64_t LateExtras::rows() const {
    std::uint64_t rows = 0;
    for (const Late& late : late_) rows += late.changes.changed + late.changes.deleted;
    return rows;
}

// Every row that goes, goes before any comes: a row may have moved to another partition, or a unique value to
// another table's row.
Task<void> LateExtras::apply(bool replace) {
    for (const Late& late : late_) co_await remove(late, replace);
    for (const Late& late : late_) co_await put(late, replace);
    for (const Late& late : late_) co_await check(late);
}

Task<void> LateExtras::remove(const Late& late, bool replace) {
    const std::string from = "delete from " + only(late.table) + " t";
    if (late.changes.whole) {
        co_await inside_->command(from, limits::statement_wait_max);
        co_return;
    }
    if (!late.keys.empty()) {
        const std::string sql = from + " using " + late.keys + " s where " + late.same_key;
        co_await inside_->command(sql, limits::statement_wait_max);
    }
    if (replace && !late.rows.empty()) {
        const std::string sql = from + " using " + late.rows + " s where " + late.same_key;
        co_await inside_->command(sql, limits::statement_wait_max);
    }
}

Task<void> LateExtras::put(const Late& late, bool replace) {
    if (late.rows.empty()) co_return;
    const bool anew = replace || late.changes.whole;
    std::string sets;
    for (const std::string& column : late.table.columns) {
        const auto& key = late.table.key;
        if (std::find(key.begin(), key.end(), column) != key.end()) continue;
        sets += fmt::format("{}{} = s.{}", sets.empty() ? "" : ", ", quote_identifier(column),
                            quote_identifier(column));
    }
    if (!anew && !sets.empty()) {
        const std::string sql = "update " + only(late.table) + " t set " + sets + " from " + late.rows +
                                " s where " + late.same_key;
        co_await inside_->command(sql, limits::statement_wait_max);
    }
    std::string sql = "insert into " + pq::quote_qualified(late.table.schema, late.table.name) +
                      column_list(late.table.columns) +
                      (late.table.columns.empty() ? "" : " overriding system value") + " select " +
                      columns_of('s', late.table.columns) + " from " + late.rows + " s";
    if (!anew)
        sql += " where not exists (select from " + only(late.table) + " t where " + late.same_key + ")";
    co_await inside_->command(sql, limits::statement_wait_max);
}

// Foreign keys' actions may have done a part of it, so the tables are asked, not the statements' tags.
Task<void> LateExtras::check(const Late& late) {
    std::string lost;
    if (late.changes.whole) {
        const std::string sql = "select count(*) from " + only(late.table);
        const std::string found = co_await inside_->value(sql, limits::statement_wait_max);
        if (found != std::to_string(late.changes.changed))
            lost = fmt::format("{} rows sent, {} found", late.changes.changed, found);
    } else {
        const std::string there =
            " s where exists (select from " + only(late.table) + " t where " + late.same_key + ")";
        if (!late.keys.empty()) {
            const std::string sql = "select count(*) from " + late.keys + there;
            const std::string found = co_await inside_->value(sql, limits::statement_wait_max);
            if (found != "0") lost = found + " deleted rows are still there";
        }
        if (!late.rows.empty()) {
            const std::string sql = "select count(*) from " + late.rows + there;
            const std::string found = co_await inside_->value(sql, limits::statement_wait_max);
            const std::string staged_sql = "select count(*) from " + late.rows;
            const std::string staged = co_await inside_->value(staged_sql, limits::statement_wait_max);
            if (found != staged) lost = fmt::format("{} changed rows sent, {} found", staged, found);
        }
    }
    if (lost.empty()) co_return;
    throw Error{ErrorKind::verification, "the table does not hold the rows that changed on the target"}
        .object(display(late.table))
        .detail(lost)
        .hint("nothing was swapped; please report this with the table's definition");
}

Task<void> LateExtras::finish() {
    for (const Late& late : late_)
        for (const std::string* staging : {&late.rows, &late.keys}) {
            if (staging->empty()) continue;
            const std::string sql = "drop table if exists " + *staging;
            co_await inside_->command(sql);
        }
}

} // namespace pgsluice::run
