// References in the rows of extras: only those rows are touched whose reference moves, or would be left on
// another entity.
#include <algorithm>

#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

std::string RowSql::stage_extra_where(std::size_t i, const std::string& where) const {
    Columns into, values;
    for (const std::string& name : inserted(i)) {
        into.push_back(quote_identifier(name));
        values.push_back(column("b", name));
    }
    for (const std::string& name : traced(i)) {
        into.push_back(old_column(i, name));
        values.push_back(column("b", name));
    }
    return fmt::format(
        "insert into {0} ({1}, {2}, {3}, {4}, {5}) select {6}, (select coalesce(pg_catalog.max({2}), 0) from "
        "{0}) + pg_catalog.row_number() over (), b.tableoid, b.ctid, 'a' from {7} b where {8} and not exists "
        "(select from {0} z where z.{3} = b.tableoid and z.{4} = b.ctid)",
        rows(i), join(into, ", "), row, in, at, state, join(values, ", "), real(i), where);
}

Statements RowSql::extra_moves(std::size_t i, bool wants_stage) const {
    Statements stage, move;
    for (std::size_t r = 0; r < plan_.references.size(); ++r) {
        const Reference& reference = plan_.references[r];
        if (reference.child != plan_.tables[i].name) continue;
        const std::size_t j = index_of(reference.parent);
        // Of another extra only the rows that moved are staged; one that refers to nothing has none.
        const bool may_move = std::any_of(plan_.references.begin(), plan_.references.end(),
                                          [&](const Reference& up) { return up.child == reference.parent; });
        if (!staged(j) && !may_move) continue;
        Columns differs, values, present_b, present_c, under_b, under_c;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
            const std::string& name = reference.child_columns[k];
            const std::string& key = reference.parent_columns[k];
            const std::string& type = plan_.tables[j].column(key)->type;
            differs.push_back(fmt::format("p.{}::pg_catalog.text <> p.{}::pg_catalog.text",
                                          old_column(j, key), quote_identifier(key)));
            values.push_back(quote_identifier(name) + " = " + column("p", key));
            present_b.push_back(column("b", name) + " is not null");
            present_c.push_back("c." + old_column(i, name) + " is not null");
            under_b.push_back(fmt::format("array[{}::{}] operator(pg_catalog.=) array[q.{}]",
                                          column("b", name), type, quote_identifier(key)));
            under_c.push_back(fmt::format("array[c.{}::{}] operator(pg_catalog.=) array[q.{}]",
                                          old_column(i, name), type, quote_identifier(key)));
        }
        const std::string changed = "(" + join(differs, " or ") + ")";
        const std::string follows = fmt::format("p.{} in ('s', 'd', 'a') and {}", state, changed);
        const std::string known = fmt::format("p.{} in ('s', 'd', 'a')", state);
        stage.push_back(stage_extra_where(i, fmt::format("exists (select from {} p where {} and {})", rows(j),
                                                         linked(r, "b", "p", false), follows)));
        move.push_back(fmt::format("update {} c set {}, {} = true from {} p where {} and {}", rows(i),
                                   join(values, ", "), moved, rows(j), linked(r, "c", "p", true), follows));
        if (!staged(j)) continue; // an extra's row under this key is the same row on both sides
        stage.push_back(stage_extra_where(
            i, fmt::format("{} and not exists (select from {} p where {} and {}) and exists (select "
                           "from {} q where {})",
                           all(present_b), rows(j), linked(r, "b", "p", false), known, final_rows(j),
                           all(under_b))));
        const std::string astray = fmt::format(
            "{} and not exists (select from {} p where {} and {}) and exists (select from {} q where {})",
            all(present_c), rows(j), linked(r, "c", "p", true), known, final_rows(j), all(under_c));
        const std::string why =
            "reference " + in_words(reference.child_columns) + ": the source has another row of " +
            one_line(reference.parent.schema + "." + reference.parent.name) + " under this key";
        Columns nulls;
        for (const std::string& name : reference.null_columns)
            nulls.push_back(quote_identifier(name) + " = null");
        if (nulls.empty())
            move.push_back(fmt::format("update {} c set {} = 'x', {} = {} where {}", rows(i), state, reason,
                                       quote_literal(why), astray));
        else
            move.push_back(fmt::format("update {} c set {}, {} = {} + 1, {} = {} where {}", rows(i),
                                       join(nulls, ", "), nulled, nulled, reason, quote_literal(why),
                                       astray));
    }
    return wants_stage ? stage : move;
}

Statements RowSql::stage_extra(std::size_t i) const { return extra_moves(i, true); }
Statements RowSql::move_extra(std::size_t i) const { return extra_moves(i, false); }

Statements RowSql::replace_extra(std::size_t i) const {
    const Columns columns = inserted(i);
    const MergeTable& table = plan_.tables[i];
    return {fmt::format("delete from {} b using {} s where b.tableoid = s.{} and b.ctid = s.{}", real(i),
                        rows(i), in, at),
            fmt::format(
                "insert into {} ({}) overriding system value select {} from {} s where {} = 'a' order by {}",
                pq::quote_qualified(table.name.schema, table.name.name), listed("", columns),
                listed("s", columns), rows(i), state, row)};
}

Statements RowSql::keep_prior(std::size_t i) const {
    Columns columns;
    for (const std::string& name : parent_columns(i)) {
        columns.push_back(old_column(i, name));
        columns.push_back(quote_identifier(name));
    }
    columns.emplace_back(state);
    return {"drop table if exists " + prior(i), fmt::format("create unlogged table {} as select {} from {}",
                                                            prior(i), join(columns, ", "), rows(i))};
}

std::string RowSql::moved_keys(std::size_t r) const {
    const std::size_t j = index_of(plan_.references[r].parent);
    Columns keys, same, now, before;
    for (const std::string& name : plan_.references[r].parent_columns) {
        const std::string old = old_column(j, name);
        keys.push_back(fmt::format("coalesce(p.{0}, q.{0})", old));
        same.push_back(fmt::format("array[p.{0}] operator(pg_catalog.=) array[q.{0}]", old));
        now.push_back(column("p", name) + "::pg_catalog.text");
        before.push_back(column("q", name) + "::pg_catalog.text");
    }
    return fmt::format(
        "copy (select {0} from (select * from {1} where {2} in ('s', 'd', 'a')) p full join (select * from "
        "{3} "
        "where {2} in ('s', 'd', 'a')) q on {4} where p.{2} is null or q.{2} is null or row({5}) is distinct "
        "from row({6})) to stdout",
        join(keys, ", "), rows(j), state, prior(j), all(same), join(now, ", "), join(before, ", "));
}

// Asked of the target, where `keys` holds the parent's columns as k0, k1...: rows that refer to one of them.
std::string RowSql::referring_rows(std::size_t r, const std::string& keys) const {
    const Reference& reference = plan_.references[r];
    const std::size_t i = index_of(reference.child);
    Columns columns, same;
    for (const MergeColumn& column : plan_.tables[i].columns)
        columns.push_back(words::column("t", column.name));
    for (std::size_t k = 0; k < reference.child_columns.size(); ++k)
        same.push_back(fmt::format("m.k{} operator(pg_catalog.=) {}::pg_catalog.text", k,
                                   column("t", reference.child_columns[k])));
    return fmt::format("copy (select {} from {} t where exists (select from {} m where {})) to stdout",
                       join(columns, ", "), real(i), keys, all(same));
}

Statements RowSql::once_each(std::size_t i) const {
    return {fmt::format("delete from {0} a using {0} o where {1} and o.{2} < a.{2}", raw(i),
                        equal(i, "a", "o", plan_.tables[i].row_key), row)};
}

Statements RowSql::collect_gone(std::size_t i) const {
    const Columns& key = plan_.tables[i].row_key;
    Columns old;
    for (const std::string& name : key) old.push_back(old_column(i, name));
    return {fmt::format("create unlogged table {} as select {} from {} b with no data", gone(i),
                        listed("b", key), real(i)),
            fmt::format("insert into {} select {} from {}", gone(i), join(old, ", "), rows(i))};
}

// The rows that were there: under the keys that theirs led to then.
Statements RowSql::remove_gone(std::size_t i) const {
    const Columns& key = plan_.tables[i].row_key;
    if (key.empty()) return {"delete from " + real(i)};
    Statements statements;
    for (const std::size_t r : references_of(i)) {
        const Reference& reference = plan_.references[r];
        if (!std::all_of(reference.child_columns.begin(), reference.child_columns.end(),
                         [&](const std::string& name) { return holds(key, name); }))
            continue;
        const std::size_t j = index_of(reference.parent);
        Columns values;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k)
            values.push_back(quote_identifier(reference.child_columns[k]) + " = " +
                             column("p", reference.parent_columns[k]));
        statements.push_back(fmt::format("update {} g set {} from {} p where {} and p.{} in ('s', 'd', 'a')",
                                         gone(i), join(values, ", "), prior(j), linked(r, "g", "p", false),
                                         state));
    }
    statements.push_back(
        fmt::format("delete from {} b using {} g where {}", real(i), gone(i), equal(i, "b", "g", key)));
    return statements;
}

} // namespace pgsluice::merge
