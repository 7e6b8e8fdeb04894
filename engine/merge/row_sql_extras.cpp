// References in the rows of extras: only those rows are touched whose reference moves, or would be left on
// another entity. rows_N keeps them until the swap: it is the map from each key that an extra's row had to
// the one that it has, for the extras that refer to it.
#include <algorithm>

#include "merge/row_sql_parts.hpp"
#include "merge/row_types.hpp"

namespace pgsluice::merge {

using namespace words;

namespace {

constexpr const char* is_there = " in ('s', 'd', 'a', 'k')"; // the row is there under its new key

std::string elsewhere(const MergeTable& parent) {
    return ": the source has another row of " + one_line(parent.name.schema + "." + parent.name.name) +
           " under this key";
}

} // namespace

// The parent's rows stay where they are on the target, all of them.
bool RowSql::rests(std::size_t r) const {
    const Reference& reference = plan_.references[r];
    if (staged(index_of(reference.parent))) return false;
    return std::none_of(plan_.references.begin(), plan_.references.end(), [&](const Reference& up) {
        return up.child == reference.parent && meet(up.child_columns, reference.parent_columns);
    });
}

// Those to the table itself last: they follow what the others did to its keys.
std::vector<std::size_t> RowSql::moving_references(std::size_t i) const {
    std::vector<std::size_t> others, own;
    for (std::size_t r = 0; r < plan_.references.size(); ++r) {
        const Reference& reference = plan_.references[r];
        if (reference.child != plan_.tables[i].name || rests(r)) continue;
        (reference.parent == reference.child ? own : others).push_back(r);
    }
    others.insert(others.end(), own.begin(), own.end());
    return others;
}

bool RowSql::extras_in_cycles() const {
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (staged(i)) continue;
        for (const std::size_t r : moving_references(i)) {
            const std::size_t j = index_of(plan_.references[r].parent);
            if (!staged(j) && j >= i) return true;
        }
    }
    return false;
}

std::vector<std::string> RowSql::moving_columns(std::size_t i) const {
    Columns columns;
    for (const std::size_t r : moving_references(i))
        for (const std::string& name : plan_.references[r].child_columns)
            if (!holds(columns, name)) columns.push_back(name);
    return columns;
}

// p is the row that the child's value led to on the target, and it is there.
std::string RowSql::leads(std::size_t r, const std::string& child, bool old_child) const {
    Columns conditions{linked(r, child, "p", old_child), std::string("p.") + state + is_there};
    for (const std::string& key : plan_.references[r].parent_columns)
        conditions.push_back(column("p", key) + " is not null");
    return all(conditions);
}

std::string RowSql::key_changed(std::size_t r, const std::string& parent) const {
    const std::size_t j = index_of(plan_.references[r].parent);
    Columns differs;
    for (const std::string& key : plan_.references[r].parent_columns)
        differs.push_back(fmt::format("{}.{}::pg_catalog.text <> {}::pg_catalog.text", parent,
                                      old_column(j, key), column(parent, key)));
    return "(" + join(differs, " or ") + ")";
}

// Whether another row is under the value that the child has on the target. Of another extra only a row that
// came there from elsewhere is another one.
std::string RowSql::taken(std::size_t r, const std::string& child, bool old_child) const {
    const Reference& reference = plan_.references[r];
    const std::size_t i = index_of(reference.child), j = index_of(reference.parent);
    Columns same;
    for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
        const std::string& name = reference.child_columns[k];
        const std::string& of_parent = reference.parent_columns[k];
        const MergeColumn& key = *plan_.tables[j].column(of_parent);
        const auto [a, b] = comparable(
            child + "." + (old_child ? old_column(i, name) : quote_identifier(name)), old_type(i, name),
            column("q", of_parent), preview() ? old_type(j, of_parent) : key.type);
        same.push_back(fmt::format("array[{}] operator(pg_catalog.=) array[{}]", a, b));
    }
    if (staged(j)) return fmt::format("exists (select from {} q where {})", final_rows(j), all(same));
    return fmt::format("exists (select from {} q where {} and q.{}{} and {})", rows(j), all(same), state,
                       is_there, key_changed(r, "q"));
}

// The row that the value led to is not there, and another one is.
std::string RowSql::astray(std::size_t r, const std::string& child, bool old_child) const {
    const Reference& reference = plan_.references[r];
    const std::size_t i = index_of(reference.child), j = index_of(reference.parent);
    Columns conditions;
    for (const std::string& name : reference.child_columns)
        conditions.push_back(child + "." + (old_child ? old_column(i, name) : quote_identifier(name)) +
                             " is not null");
    conditions.push_back(
        fmt::format("not exists (select from {} p where {})", rows(j), leads(r, child, old_child)));
    conditions.push_back(taken(r, child, old_child));
    return all(conditions);
}

// Rows of the table that were not staged before. Their numbers are negative: positive ones are of raw_N.
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
        "insert into {0} ({1}, {2}, {3}, {4}, {5}) select {6}, (select coalesce(pg_catalog.max({2}) filter "
        "(where {2} < 0), -4611686018427387904) from {0}) + pg_catalog.row_number() over (), b.tableoid, "
        "b.ctid, 'a' from {7} b where {8} and not exists (select from {0} z where z.{3} = b.tableoid and "
        "z.{4} = b.ctid){9}",
        rows(i), join(into, ", "), row, in, at, state, join(values, ", "), real(i), where, not_settled(i));
}

// Rows of a table without a key that were put there by the merge before.
std::string RowSql::not_settled(std::size_t i) const {
    if (!plan_.tables[i].row_key.empty()) return {};
    return fmt::format(" and not exists (select from {} k where k.in_table operator(pg_catalog.=) b.tableoid "
                       "and k.at operator(pg_catalog.=) b.ctid)",
                       name("kept", i));
}

Statements RowSql::stage_extra(std::size_t i) const {
    Statements statements;
    for (const std::size_t r : moving_references(i)) {
        const Reference& reference = plan_.references[r];
        const std::size_t j = index_of(reference.parent);
        statements.push_back(
            stage_extra_where(i, fmt::format("exists (select from {} p where {} and {})", rows(j),
                                             leads(r, "b", false), key_changed(r, "p"))));
        statements.push_back(stage_extra_where(i, astray(r, "b", false)));
        // Rows that were put there before, and whose reference leads elsewhere by now.
        Columns is_new, is_old, present;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
            const std::string& name = reference.child_columns[k];
            is_new.push_back(fmt::format("{}::pg_catalog.text is distinct from {}::pg_catalog.text",
                                         column("c", name), column("p", reference.parent_columns[k])));
            is_old.push_back(fmt::format("{}::pg_catalog.text is distinct from c.{}::pg_catalog.text",
                                         column("c", name), old_column(i, name)));
            present.push_back("c." + old_column(i, name) + " is not null");
        }
        const std::string reopen =
            fmt::format("update {} c set {} = 'a' where c.{} = 'k' and ", rows(i), state, state);
        statements.push_back(reopen + fmt::format("exists (select from {} p where {} and ({}))", rows(j),
                                                  leads(r, "c", true), join(is_new, " or ")));
        statements.push_back(
            reopen + fmt::format("{} and not exists (select from {} p where {}) and ({} or {})", all(present),
                                 rows(j), leads(r, "c", true), join(is_old, " or "), taken(r, "c", true)));
    }
    return statements;
}

// From what each row held on the target, so that it may be done again when a parent went another way.
Statements RowSql::move_extra(std::size_t i) const {
    Columns reset;
    for (const std::string& name : moving_columns(i))
        reset.push_back(quote_identifier(name) + " = " + old_column(i, name));
    if (reset.empty()) return {};
    Statements statements{fmt::format("update {} set {}, {} = false, {} = 0, {} = null where {} = 'a'",
                                      rows(i), join(reset, ", "), moved, nulled, reason, state)};
    Statements ends;
    for (const std::size_t r : moving_references(i)) {
        const Reference& reference = plan_.references[r];
        const std::size_t j = index_of(reference.parent);
        Columns values, differs, nulls;
        for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
            const std::string key = column("p", reference.parent_columns[k]);
            values.push_back(quote_identifier(reference.child_columns[k]) + " = " + key);
            differs.push_back(differ(column("c", reference.child_columns[k]),
                                     plan_.tables[i].column(reference.child_columns[k])->type, key,
                                     plan_.tables[j].column(reference.parent_columns[k])->type));
        }
        statements.push_back(
            fmt::format("update {} c set {}, {} = true from {} p where c.{} = 'a' and {} and {}", rows(i),
                        join(values, ", "), moved, rows(j), state, leads(r, "c", true), key_changed(r, "p")));
        for (const std::string& name : reference.null_columns)
            nulls.push_back(quote_identifier(name) + " = null");
        const std::string of = "reference " + in_words(reference.child_columns);
        const std::string set = nulls.empty()
                                    ? fmt::format("{} = 'x'", state)
                                    : fmt::format("{}, {} = {} + 1", join(nulls, ", "), nulled, nulled);
        ends.push_back(fmt::format("update {} c set {}, {} = {} where c.{} = 'a' and {}", rows(i), set,
                                   reason, quote_literal(of + elsewhere(plan_.tables[j])), state,
                                   astray(r, "c", true)));
        ends.push_back(fmt::format("update {} c set {} = 'x', {} = {} where c.{} = 'a' and exists (select "
                                   "from {} p where {} and ({}))",
                                   rows(i), state, reason, quote_literal(of + ": contradicts another one"),
                                   state, rows(j), leads(r, "c", true), join(differs, " or ")));
    }
    statements.insert(statements.end(), ends.begin(), ends.end());
    return statements;
}

std::string RowSql::extra_mark(std::size_t i) const {
    Columns marked = {state};
    for (const std::string& name : moving_columns(i)) marked.push_back(quote_identifier(name));
    return fmt::format("select count(*) || ' ' || coalesce(pg_catalog.sum(pg_catalog.hashtextextended((row({}"
                       "))::pg_catalog.text, 0)), 0) from {}",
                       join(marked, ", "), rows(i));
}

} // namespace pgsluice::merge
