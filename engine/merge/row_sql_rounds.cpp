// The rounds of a merge: references follow rows that have been decided, rows are decided that wait for
// nothing, until nothing changes any more.
#include "merge/row_sql_parts.hpp"
#include "merge/row_types.hpp"

namespace pgsluice::merge {

using namespace words;

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

// Whether entities are told apart by any of the columns: then no key can be looked for before these are
// settled.
bool RowSql::in_a_key(std::size_t i, const std::vector<std::string>& columns) const {
    const MergeTable& table = plan_.tables[i];
    return std::any_of(table.natural_keys.begin(), table.natural_keys.end(),
                       [&](const Columns& key) { return meet(key, columns); }) ||
           std::any_of(table.expression_keys.begin(), table.expression_keys.end(),
                       [&](const ExpressionKey& key) { return meet(key.reads, columns); });
}

Statements RowSql::resolve(std::size_t i) const {
    Statements statements;
    for (const std::size_t r : references_of(i)) {
        const Reference& reference = plan_.references[r];
        const std::size_t j = index_of(reference.parent);
        // A row that the source has keeps the source's values, but for the columns that only the target has.
        const bool extra = of_target_only(r);
        // Nothing decides by those, so they follow when the row is decided.
        const std::string live =
            extra ? fmt::format("(c.{0} = 'a' or (c.{0} in ('s', 'd') and c.{1}))", state, synced)
                  : fmt::format("c.{} in ('u', 'a')", state);
        Columns values, differs;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
            const std::string& name = reference.child_columns[k];
            std::string parent = column("p", reference.parent_columns[k]);
            if (apart(plan_.tables[i].column(name)->type,
                      plan_.tables[j].column(reference.parent_columns[k])->type))
                parent += "::pg_catalog.text"; // the only other kind that can hold it
            // A column that another reference has settled stays: check() finds out whether the two agree.
            Columns others;
            for (const std::size_t other : references_with(i, name))
                if (other != r)
                    others.push_back(fmt::format("(c.{} and c.{} > 0)", link_done(other), link(other)));
            values.push_back(quote_identifier(name) + " = " +
                             (others.empty() ? parent
                                             : fmt::format("case when {} then {} else {} end",
                                                           join(others, " or "), column("c", name), parent)));
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
            // Whoever the source has under another key is no reason to look where the target's row leads.
            const std::string first =
                in_a_key(i, reference.child_columns) ? "true" : std::string("c.") + tried;
            statements.push_back(fmt::format("update {} c set {} = 'x', {} = {}, {} = true where {} and {}",
                                             rows(i), state, reason, quote_literal(nowhere), link_done(r),
                                             first, dead));
        }
    }
    return statements;
}

// Somebody else's row is under this key: among the source's rows, or among those that were re-pointed. Each
// test is a statement of its own: joined by OR they would be tried for each pair of rows.
std::vector<std::string> RowSql::new_key_tests(std::size_t i, const TableNow::Key& key) const {
    std::vector<std::string> tests{
        fmt::format("exists (select from {} b where {})", base(i), equal(i, "s", "b", key.columns))};
    if (key.columns.size() > 1)
        tests.push_back(
            fmt::format("exists (select from {} o where o.{} = 'a' and o.{} <> s.{} and (o.{} or o.{} < "
                        "s.{}) and {})",
                        rows(i), state, row, row, keyed, row, row, equal(i, "s", "o", key.columns)));
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
        tests.push_back(fmt::format("exists (select from {} k where {} and not ({}))", name("kept", i),
                                    all(taken), all(same)));
    }
    return tests;
}

// More rows than the sequence has numbers left: the later ones go.
std::string RowSql::out_of_numbers(std::size_t i, const TableNow::Sequence& sequence,
                                   const std::string& wants) const {
    const std::string oid = quote_literal(sequence.sequence) + "::pg_catalog.regclass";
    const std::string left = fmt::format(
        "select greatest(0, pg_catalog.trunc((case when q.seqincrement > 0 then q.seqmax else q.seqmin end - "
        "coalesce(pg_catalog.pg_sequence_last_value({0})::pg_catalog.numeric, q.seqstart - "
        "q.seqincrement::pg_catalog.numeric)) / q.seqincrement))::int8 from pg_catalog.pg_sequence q where "
        "q.seqrelid = {0}",
        oid);
    return fmt::format(
        "update {0} s set {1} = 'x', {2} = {3} where {4} and s.{5} >= (select s.{5} from {0} s where {4} "
        "order by 1 offset ({6}) limit 1)",
        rows(i), state, reason,
        quote_literal("column " + one_line(sequence.column) + ": its sequence has no number left"), wants,
        row, left);
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
                const MergeColumn* column = table.column(name);
                return column != nullptr && column->from_sequence && !column->extra;
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
        for (const std::string& test : new_key_tests(i, key))
            statements.push_back(fmt::format("update {} s set {} = true where {} and not {} and {}", rows(i),
                                             new_key, wants, new_key, test));
        // Past everything that either side has: the sequence then gives what nobody had.
        add(set_sequences(i));
        const std::string gets =
            fmt::format("{} and {} and s.{}::pg_catalog.text = s.{}::pg_catalog.text", wants, new_key,
                        quote_identifier(*sequence), old_column(i, *sequence));
        for (const TableNow::Sequence& of : now_[i].sequences)
            if (of.column == *sequence && !preview()) statements.push_back(out_of_numbers(i, of, gets));
        statements.push_back(fmt::format("update {} s set {} = {} where {}", rows(i),
                                         quote_identifier(*sequence), new_value(i, *sequence), gets));
    }
    statements.push_back(fmt::format("update {} s set {} = true where {} = 'a' and not {} and {}", rows(i),
                                     keyed, state, keyed, done(i, generated_keys, "s")));
    Columns copied, twin_copied;
    for (const std::string& name : parent_columns(i)) {
        // Of a preserved row the target's value survives there; else the source's row has one of its own,
        // which a preview cannot know.
        const bool extra = table.column(name)->extra && (table.role == Role::preserved || preview());
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

} // namespace pgsluice::merge
