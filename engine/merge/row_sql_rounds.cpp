// The rounds of a merge: references follow rows that have been decided, rows are decided that wait for
// nothing, until nothing changes any more.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

// The references that these columns are part of hold their last values.
std::string RowSql::done(std::size_t i, const std::vector<std::string>& columns,
                         const std::string& alias) const {
    Columns conditions;
    for (const std::size_t r : references_of(i))
        if (meet(plan_.references[r].child_columns, columns))
            conditions.push_back(alias + "." + link_done(r));
    return all(conditions);
}

// Its referenced columns hold what they will hold.
std::string RowSql::ready(std::size_t i, const std::string& alias) const {
    return fmt::format("(({0}.{1} in ('s', 'd') and {0}.{2}) or ({0}.{1} = 'a' and {0}.{3} and {4}))", alias,
                       state, synced, keyed, done(i, parent_columns(i), alias));
}

std::string RowSql::holds_any(const std::string& alias, const std::vector<std::string>& columns) const {
    Columns conditions;
    for (const std::string& name : columns) conditions.push_back(column(alias, name) + " is not null");
    return "(" + join(conditions, " or ") + ")";
}

Statements RowSql::resolve(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    for (const std::size_t r : references_of(i)) {
        const Reference& reference = plan_.references[r];
        const std::size_t j = index_of(reference.parent);
        // A row that the source has keeps the source's values, but for the columns that only the target has.
        const bool extra = std::all_of(reference.child_columns.begin(), reference.child_columns.end(),
                                       [&](const std::string& name) { return table.column(name)->extra; });
        // Nothing decides by those, so they follow when the row is decided.
        const std::string live =
            extra ? fmt::format("(c.{0} = 'a' or (c.{0} in ('s', 'd') and c.{1}))", state, synced)
                  : fmt::format("c.{} in ('u', 'a')", state);
        Columns values, differs;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
            const std::string& name = reference.child_columns[k];
            const std::string parent = column("p", reference.parent_columns[k]);
            values.push_back(quote_identifier(name) + " = " + parent);
            differs.push_back(fmt::format("{}::pg_catalog.text <> {}::pg_catalog.text",
                                          "c." + old_column(i, name), parent));
        }
        const std::string waits = fmt::format("not c.{} and {}", link_done(r), live);
        statements.push_back(
            fmt::format("update {} c set {}, {} = c.{} or {}, {} = true from {} p where {} and c.{} = "
                        "p.{} and {}",
                        rows(i), join(values, ", "), moved, moved, join(differs, " or "), link_done(r),
                        rows(j), waits, link(r), row, ready(j, "p")));
        const std::string dead =
            fmt::format("{} and (c.{} = -1 or exists (select from {} p where p.{} = c.{} and "
                        "p.{} in ('x', 'g')))",
                        waits, link(r), rows(j), row, link(r), state);
        const std::string nowhere = "reference " + in_words(reference.child_columns) +
                                    ": the source has no such row of " +
                                    one_line(reference.parent.schema + "." + reference.parent.name);
        if (!reference.null_columns.empty()) {
            Columns nulls;
            for (const std::string& name : reference.null_columns)
                nulls.push_back(quote_identifier(name) + " = null");
            statements.push_back(
                fmt::format("update {} c set {}, {} = {} + 1, {} = true, {} = -2, {} = {} where {}", rows(i),
                            join(nulls, ", "), nulled, nulled, link_done(r), link(r), reason,
                            quote_literal(nowhere), dead));
        } else if (extra) {
            statements.push_back(fmt::format("update {} c set {} = null, {} = true where {}", rows(i), at,
                                             link_done(r), dead));
        } else {
            statements.push_back(fmt::format("update {} c set {} = 'x', {} = {}, {} = true where {}", rows(i),
                                             state, reason, quote_literal(nowhere), link_done(r), dead));
        }
    }
    return statements;
}

// Rows that `which` names and that agree on one of the keys with rows of the base.
Statements RowSql::match(std::size_t i, const std::vector<std::vector<std::string>>& keys,
                         const std::string& which) const {
    Statements statements{"delete from " + ours("hit")};
    for (const Columns& key : keys)
        statements.push_back(
            fmt::format("insert into {} select s.{}, {}, b.tableoid, b.ctid from {} s join {} b "
                        "on {} where {} and {}",
                        ours("hit"), row, quote_literal(in_words(key)), rows(i), base(i),
                        equal(i, "s", "b", key), holds_any("s", key), which));
    statements.push_back(fmt::format(
        "update {} s set {} = case when h.found > 1 then 'x' else 's' end, {} = h.in_table, {} = h.at_row, "
        "{} = case when "
        "h.found > 1 then 'matches more than one row of the source: by ' || h.by_keys end from (select n, "
        "count(distinct (in_table, at_row)) as found, (pg_catalog.array_agg(in_table))[1] as in_table, "
        "(pg_catalog.array_agg(at_row))[1] as at_row, pg_catalog.string_agg(distinct by_key, ' and ') as "
        "by_keys from "
        "{} group by n) h where s.{} = h.n",
        rows(i), state, in, at, reason, ours("hit"), row));
    return statements;
}

Statements RowSql::decide(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    const auto add = [&](const Statements& more) {
        statements.insert(statements.end(), more.begin(), more.end());
    };
    Columns natural;
    for (const Columns& key : table.natural_keys) natural.insert(natural.end(), key.begin(), key.end());
    const std::string untried =
        fmt::format("s.{} = 'u' and not s.{} and {}", state, tried, done(i, natural, "s"));
    add(match(i, table.natural_keys, untried));
    statements.push_back(fmt::format("update {} s set {} = true where {}", rows(i), tried, untried));
    if (table.role == Role::referenced) {
        statements.push_back(
            fmt::format("update {} s set {} = 'x' where {} = 'u' and {}", rows(i), state, state, tried));
    } else {
        Columns everything;
        for (const std::size_t r : references_of(i))
            everything.insert(everything.end(), plan_.references[r].child_columns.begin(),
                              plan_.references[r].child_columns.end());
        std::string open = fmt::format("s.{} = 'u' and s.{}", state, tried);
        if (!table.duplicates_by.empty()) {
            const std::string complete = open + " and " + done(i, everything, "s");
            statements.push_back(fmt::format(
                "update {} s set {} = 'd', {} = q.in_table, {} = q.at_row from (select s.{} as n, "
                "(pg_catalog.array_agg(b.tableoid))[1] as in_table, (pg_catalog.array_agg(b.ctid))[1] as "
                "at_row from {} s "
                "join {} b on {} where {} group by s.{}) q where s.{} = q.n",
                rows(i), state, in, at, row, rows(i), base(i), equal(i, "s", "b", table.duplicates_by),
                complete, row, row));
            statements.push_back(fmt::format("update {} s set {} = true where {} and not {}", rows(i), unlike,
                                             complete, unlike));
            open += fmt::format(" and s.{}", unlike);
        }
        std::vector<Columns> same = table.natural_keys;
        if (!table.duplicates_by.empty()) same = {table.duplicates_by};
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
    }
    return statements;
}

// Somebody else's row is under this key: among the source's rows, or among those that were re-pointed.
std::string RowSql::new_key_test(std::size_t i, const TableNow::Key& key) const {
    std::string test =
        fmt::format("exists (select from {} b where {})", base(i), equal(i, "s", "b", key.columns));
    if (key.columns.size() > 1)
        test +=
            fmt::format(" or exists (select from {} o where o.{} = 'a' and o.{} <> s.{} and (o.{} or o.{} "
                        "< s.{}) and {})",
                        rows(i), state, row, row, keyed, row, row, equal(i, "s", "o", key.columns));
    const Columns& row_key = plan_.tables[i].row_key;
    if (std::all_of(key.columns.begin(), key.columns.end(),
                    [&](const std::string& name) { return holds(row_key, name); })) {
        // A key that another row was given by the merge before.
        Columns taken, same;
        for (const std::string& name : key.columns)
            taken.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[{}]",
                                        quote_identifier("n " + name), column("s", name)));
        for (const std::string& name : row_key)
            same.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[s.{}]",
                                       quote_identifier("o " + name), old_column(i, name)));
        test += fmt::format(" or exists (select from {} k where {} and not ({}))", name("kept", i),
                            all(taken), all(same));
    }
    return "(" + test + ")";
}

Statements RowSql::round(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    if (!staged(i)) return statements;
    const auto add = [&](const Statements& more) {
        statements.insert(statements.end(), more.begin(), more.end());
    };
    add(resolve(i));
    add(decide(i));
    Columns generated_keys;
    for (const TableNow::Key& key : now_[i].keys) {
        const auto sequence =
            std::find_if(key.columns.begin(), key.columns.end(), [&](const std::string& name) {
                return table.column(name) != nullptr && table.column(name)->from_sequence;
            });
        if (sequence == key.columns.end()) continue;
        generated_keys.insert(generated_keys.end(), key.columns.begin(), key.columns.end());
        if (table.role != Role::preserved || !now_[i].defaults.contains(*sequence)) continue;
        // The same key as before, where the row was merged before.
        Columns same;
        for (const std::string& name : table.row_key)
            same.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[s.{}]",
                                       quote_identifier("o " + name), old_column(i, name)));
        const std::string wants =
            fmt::format("s.{} = 'a' and not s.{} and {}", state, keyed, done(i, key.columns, "s"));
        if (holds(table.row_key, *sequence))
            statements.push_back(fmt::format("update {} s set {} = k.{}, {} = s.{} or s.{}::pg_catalog.text "
                                             "<> k.{}::pg_catalog.text, {} = true from {} k "
                                             "where {} and {}",
                                             rows(i), quote_identifier(*sequence),
                                             quote_identifier("n " + *sequence), new_key, new_key,
                                             old_column(i, *sequence), quote_identifier("n " + *sequence),
                                             keyed, name("kept", i), wants, all(same)));
        statements.push_back(fmt::format("update {} s set {} = true where {} and not {} and {}", rows(i),
                                         new_key, wants, new_key, new_key_test(i, key)));
        // Past everything that either side has: the sequence then gives what nobody had.
        add(set_sequences(i));
        statements.push_back(fmt::format("update {0} s set {1} = {2} where {3} and {4} and array[s.{1}] "
                                         "operator(pg_catalog.=) array[s.{5}]",
                                         rows(i), quote_identifier(*sequence), new_value(i, *sequence), wants,
                                         new_key, old_column(i, *sequence)));
    }
    statements.push_back(fmt::format("update {} s set {} = true where {} = 'a' and not {} and {}", rows(i),
                                     keyed, state, keyed, done(i, generated_keys, "s")));
    Columns copied, twin_copied;
    for (const std::string& name : parent_columns(i)) {
        const bool extra = table.column(name)->extra;
        copied.push_back(quote_identifier(name) + " = " + column(extra ? "s" : "b", name));
        twin_copied.push_back(quote_identifier(name) + " = " + column("w", name));
    }
    copied.push_back(std::string(synced) + " = true");
    twin_copied.push_back(std::string(synced) + " = true");
    twin_copied.push_back(std::string(state) + " = 'd'");
    statements.push_back(fmt::format(
        "update {} s set {} from {} b where s.{} in ('s', 'd') and not s.{} and b.tableoid = s.{} "
        "and b.ctid = s.{}",
        rows(i), join(copied, ", "), base(i), state, synced, in, at));
    statements.push_back(fmt::format("update {} s set {} from {} w where s.{} = 't' and s.{} = w.{} and {}",
                                     rows(i), join(twin_copied, ", "), rows(i), state, twin, row,
                                     ready(i, "w")));
    return statements;
}

std::string RowSql::force_waiting(std::size_t i) const {
    return fmt::format("update {} set {} = 'a' where {} = 'u' and {}", rows(i), state, state, tried);
}

Statements RowSql::force_all(std::size_t i) const {
    std::vector<Columns> free;
    for (const Columns& key : plan_.tables[i].natural_keys) {
        const auto references = references_of(i);
        if (std::none_of(references.begin(), references.end(),
                         [&](std::size_t r) { return meet(plan_.references[r].child_columns, key); }))
            free.push_back(key);
    }
    Statements statements = match(i, free, fmt::format("s.{} = 'u' and not s.{}", state, tried));
    statements.push_back(fmt::format("update {} set {} = {}, {} = true where {} = 'u'", rows(i), state,
                                     plan_.tables[i].role == Role::referenced ? "'x'" : "'a'", tried, state));
    return statements;
}

} // namespace pgsluice::merge
