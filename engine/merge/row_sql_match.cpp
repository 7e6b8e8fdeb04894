// How rows are decided: by their keys, by what the last run recorded, by all that they hold; and what becomes
// of those that wait for each other.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

bool RowSql::of_target_only(std::size_t r) const {
    const Reference& reference = plan_.references[r];
    const MergeTable& table = *plan_.table(reference.child);
    return std::all_of(reference.child_columns.begin(), reference.child_columns.end(),
                       [&](const std::string& name) { return table.column(name)->extra; });
}

std::vector<std::size_t> RowSql::references_with(std::size_t i, const std::string& column) const {
    std::vector<std::size_t> found;
    for (const std::size_t r : references_of(i))
        if (holds(plan_.references[r].child_columns, column)) found.push_back(r);
    return found;
}

// It holds its last value: one of several references over it that led somewhere is enough, as (tenant) is for
// (tenant, boss); one that was NULL from the start says nothing.
std::string RowSql::settled(std::size_t i, const std::string& column, const std::string& alias) const {
    Columns every, any;
    for (const std::size_t r : references_with(i, column)) {
        every.push_back(alias + "." + link_done(r));
        any.push_back(fmt::format("({0}.{1} and {0}.{2} > 0)", alias, link_done(r), link(r)));
    }
    if (every.size() < 2) return all(every);
    return fmt::format("(({}) or {})", all(every), join(any, " or "));
}

std::string RowSql::done(std::size_t i, const std::vector<std::string>& columns,
                         const std::string& alias) const {
    Columns conditions;
    for (const std::string& name : columns) {
        const std::string condition = settled(i, name, alias);
        if (condition != "true" && !holds(conditions, condition)) conditions.push_back(condition);
    }
    return all(conditions);
}

std::string RowSql::all_done(std::size_t i, const std::string& alias) const {
    Columns conditions;
    for (const std::size_t r : references_of(i)) conditions.push_back(alias + "." + link_done(r));
    return all(conditions);
}

// A look at the rows is cheaper than the dozens of statements of a round.
std::string RowSql::waits(std::size_t i) const {
    Columns of_target{fmt::format("not s.{}", synced)};
    for (const std::size_t r : references_of(i))
        if (of_target_only(r)) of_target.push_back("not s." + link_done(r));
    return fmt::format(
        "select exists (select from {0} s where s.{1} in ('u', 't') or (s.{1} = 'a' and not (s.{2} "
        "and {3})) or (s.{1} in ('s', 'd') and ({4})))",
        rows(i), state, keyed, all_done(i, "s"), join(of_target, " or "));
}

bool RowSql::by_whole_row(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const auto of_both = std::count_if(table.columns.begin(), table.columns.end(),
                                       [](const MergeColumn& column) { return !column.extra; });
    return table.primary_key.empty() && table.expression_keys.empty() && table.natural_keys.size() == 1 &&
           table.natural_keys[0].size() == static_cast<std::size_t>(of_both);
}

std::string RowSql::match_expressions(std::size_t i, const ExpressionKey& key,
                                      const std::string& which) const {
    Columns values, applies, same;
    for (std::size_t k = 0; k < key.expressions.size(); ++k) {
        values.push_back(fmt::format("({}) as k{}", key.expressions[k], k));
        if (!key.nulls_equal) applies.push_back("(" + key.expressions[k] + ") is not null");
        same.push_back(fmt::format("array[a.k{0}] operator(pg_catalog.=) array[o.k{0}]", k));
    }
    if (!key.predicate.empty()) applies.push_back("(" + key.predicate + ")");
    return fmt::format(
        "insert into {} select a.n, {}, o.in_table, o.at_row from (select s.{} as n, {} from {} s "
        "where {} and {}) a join (select tableoid as in_table, ctid as at_row, {} from {} b where "
        "{}) o on {}",
        ours("hit"), quote_literal(in_words(key.reads)), row, join(values, ", "), rows(i), which,
        all(applies), join(values, ", "), base(i), all(applies), all(same));
}

// Rows that `which` names and that agree on one of the keys with rows of the base.
Statements RowSql::match(std::size_t i, const std::vector<std::vector<std::string>>& keys,
                         const std::vector<ExpressionKey>& expression_keys, const std::string& which) const {
    if (keys.empty() && expression_keys.empty()) return {};
    Statements statements{"delete from " + ours("hit")};
    for (const Columns& key : keys)
        statements.push_back(
            fmt::format("insert into {} select s.{}, {}, b.tableoid, b.ctid from {} s join {} b "
                        "on {} where {} and {}",
                        ours("hit"), row, quote_literal(in_words(key)), rows(i), base(i),
                        equal(i, "s", "b", key), holds_any("s", key), which));
    for (const ExpressionKey& key : expression_keys) statements.push_back(match_expressions(i, key, which));
    // Without any key the source's rows may be equal to each other: the target's is one more of them.
    const char* several = by_whole_row(i) ? "d" : "x";
    statements.push_back(fmt::format(
        "update {} s set {} = case when h.found > 1 then '{}' else 's' end, {} = h.in_table, {} = h.at_row, "
        "{} = case when h.found > 1 and '{}' = 'x' then 'matches more than one row of the source: by ' || "
        "h.by_keys end from (select n, count(distinct (in_table, at_row)) as found, "
        "(pg_catalog.array_agg(in_table))[1] as in_table, (pg_catalog.array_agg(at_row))[1] as at_row, "
        "pg_catalog.string_agg(distinct by_key, ' and ') as by_keys from {} group by n) h where s.{} = h.n",
        rows(i), state, several, in, at, reason, several, ours("hit"), row));
    return statements;
}

// A row that the last run recorded as the source's, whose primary key the source still has: what else may
// have changed since, the entity has not.
std::string RowSql::recognize(std::size_t i) const {
    const Columns& primary = plan_.tables[i].primary_key;
    return fmt::format(
        "update {} s set {} = 's', {} = b.tableoid, {} = b.ctid from {} b where s.{} = 'u' and s.{} "
        "and s.{} and {} and {}",
        rows(i), state, in, at, base(i), state, tried, known, done(i, primary, "s"),
        equal(i, "s", "b", primary));
}

// Rows equal to one of the base in all but the surrogate key. Of several that are equal to the same one only
// those come to it that hold the same in the target's own columns, as the row has room for one value there.
std::string RowSql::match_rest(std::size_t i, const std::string& which) const {
    const MergeTable& table = plan_.tables[i];
    const std::string same_key = equal(i, "s", "b", table.primary_key);
    std::string sql = fmt::format(
        "update {0} s set {1} = case when q.same then 's' else 'd' end, {2} = q.in_table, {3} = q.at_row "
        "from "
        "(select q.*, pg_catalog.first_value(q.n) over (partition by q.in_table, q.at_row order by q.same "
        "desc, q.n) as first from (select s.{4} as n, pg_catalog.bool_or({5}) as same, "
        "(pg_catalog.array_agg(b.tableoid order by ({5}) desc, b.ctid))[1] as in_table, "
        "(pg_catalog.array_agg(b.ctid order by ({5}) desc, b.ctid))[1] as at_row from {0} s join {6} b on "
        "{7} "
        "where {8} group by s.{4}) q) q where s.{4} = q.n",
        rows(i), state, in, at, row, same_key, base(i), equal(i, "s", "b", table.duplicates_by), which);
    const Columns own = own_columns(i);
    if (!own.empty())
        sql +=
            fmt::format(" and (q.n = q.first or exists (select from {0} f where f.{1} = q.first and {2})) "
                        "and not exists (select from {0} w where w.{3} in ('s', 'd') and w.{4} = q.in_table "
                        "and w.{5} = q.at_row and not ({6}))",
                        rows(i), row, equal(i, "s", "f", own), state, in, at, equal(i, "s", "w", own));
    return sql;
}

// That only the target has.
std::vector<std::string> RowSql::own_columns(std::size_t i) const {
    Columns own;
    for (const MergeColumn& column : plan_.tables[i].columns)
        if (column.extra) own.push_back(column.name);
    return own;
}

Statements RowSql::decide(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    const auto add = [&](const Statements& more) {
        statements.insert(statements.end(), more.begin(), more.end());
    };
    Columns natural;
    for (const Columns& key : table.natural_keys) natural.insert(natural.end(), key.begin(), key.end());
    for (const ExpressionKey& key : table.expression_keys)
        natural.insert(natural.end(), key.reads.begin(), key.reads.end());
    const std::string untried =
        fmt::format("s.{} = 'u' and not s.{} and {}", state, tried, done(i, natural, "s"));
    add(match(i, table.natural_keys, table.expression_keys, untried));
    statements.push_back(fmt::format("update {} s set {} = true where {}", rows(i), tried, untried));
    if (table.role == Role::referenced) {
        statements.push_back(
            fmt::format("update {} s set {} = 'x' where {} = 'u' and {}", rows(i), state, state, tried));
        return statements;
    }
    std::string open = fmt::format("s.{} = 'u' and s.{}", state, tried);
    if (table.known_if_recorded) {
        statements.push_back(recognize(i));
        open += fmt::format(" and (not s.{} or {})", known, done(i, table.primary_key, "s"));
    }
    if (!table.duplicates_by.empty()) {
        // Equal in all else: under the same key it is that row, under another one its duplicate.
        const std::string complete = open + " and " + all_done(i, "s");
        if (table.rest_tells) statements.push_back(match_rest(i, complete));
        statements.push_back(
            fmt::format("update {} s set {} = true where {} and not {}", rows(i), unlike, complete, unlike));
        open += fmt::format(" and s.{}", unlike);
    }
    std::vector<Columns> same = table.natural_keys;
    if (!table.duplicates_by.empty()) {
        same = {table.duplicates_by};
        for (const std::string& name : own_columns(i)) same[0].push_back(name);
    }
    // Re-pointed rows may be equal to each other; as they were on the target, keys tell them apart.
    for (const Columns& key : same)
        statements.push_back(
            fmt::format("update {0} s set {1} = 't', {2} = q.first from (select s.{3} as n, "
                        "pg_catalog.min(o.{3}) as first from "
                        "{0} s join {0} o on {4} where {5} and {6} and (o.{1} = 'a' or (o.{1} = 'u' and "
                        "o.{7} and o.{3} < s.{3})) "
                        "and o.{3} <> s.{3} and (s.{8} or o.{8}) group by s.{3}) q where s.{3} = q.n",
                        rows(i), state, twin, row, equal(i, "s", "o", key), open, holds_any("s", key),
                        table.duplicates_by.empty() ? tried : unlike, moved));
    statements.push_back(fmt::format("update {} s set {} = 'a' where {}", rows(i), state, open));
    return statements;
}

std::string RowSql::force_waiting(std::size_t i) const {
    return fmt::format("update {} set {} = 'a' where {} = 'u' and {}", rows(i), state, state, tried);
}

Statements RowSql::force_all(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const auto is_free = [&](const Columns& columns) {
        const auto references = references_of(i);
        return std::none_of(references.begin(), references.end(),
                            [&](std::size_t r) { return meet(plan_.references[r].child_columns, columns); });
    };
    std::vector<Columns> free;
    for (const Columns& key : table.natural_keys)
        if (is_free(key)) free.push_back(key);
    std::vector<ExpressionKey> free_expressions;
    for (const ExpressionKey& key : table.expression_keys)
        if (is_free(key.reads)) free_expressions.push_back(key);
    Statements statements =
        match(i, free, free_expressions, fmt::format("s.{} = 'u' and not s.{}", state, tried));
    statements.push_back(fmt::format("update {} set {} = {}, {} = true where {} = 'u'", rows(i), state,
                                     table.role == Role::referenced ? "'x'" : "'a'", tried, state));
    return statements;
}

} // namespace pgsluice::merge
