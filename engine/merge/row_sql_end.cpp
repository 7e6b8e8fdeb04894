// The end of a merge: what cannot be there is rejected, the rest goes into the table.
#include "merge/row_sql_parts.hpp"
#include "merge/row_types.hpp"

namespace pgsluice::merge {

using namespace words;

namespace {

// Nothing else than true keeps a row, but NULL: as the server checks.
std::string reject(const std::string& rows, const std::string& why, const std::string& where) {
    return fmt::format("update {} s set {} = 'x', {} = {} where s.{} = 'a' and {}", rows, state, reason,
                       quote_literal(why), state, where);
}

} // namespace

// The primary key, where it says nothing beside another key.
bool RowSql::is_number_beside(std::size_t i, const std::vector<std::string>& key) const {
    const MergeTable& table = plan_.tables[i];
    return table.known_if_recorded && table.duplicates_by.empty() && key == table.primary_key;
}

std::string RowSql::natural_words(std::size_t i) const {
    Columns words;
    for (const Columns& key : plan_.tables[i].natural_keys) words.push_back(in_words(key));
    for (const ExpressionKey& key : plan_.tables[i].expression_keys) words.push_back(in_words(key.reads));
    return join(words, " and ");
}

// Of the unique and exclusion keys that are there now: against the rows that stay, and against each other.
Statements RowSql::conflicts(std::size_t i) const {
    Statements statements;
    for (const TableNow::Key& key : now_[i].keys) {
        Columns values, same;
        for (std::size_t k = 0; k < key.expressions.size(); ++k) {
            const std::string collate = key.collations[k].empty() ? "" : " collate " + key.collations[k];
            values.push_back(fmt::format("({}){} as k{}", key.expressions[k], collate, k));
            same.push_back(key.nulls_equal
                               ? fmt::format("array[a.k{0}] operator(pg_catalog.=) array[o.k{0}]", k)
                               : fmt::format("a.k{0} {1} o.k{0}", k, key.operators[k]));
        }
        const std::string where = key.predicate.empty() ? "true" : "(" + key.predicate + ")";
        const std::string ours = fmt::format("(select {}, {} from {} where {} = 'a' and {})", row,
                                             join(values, ", "), rows(i), state, where);
        std::string why = fmt::format("{} on key {}", "conflicts with another row", one_line(key.name)) +
                          (key.columns.empty() ? "" : " " + in_words(key.columns));
        if (is_number_beside(i, key.columns)) why += ", and is another one by " + natural_words(i);
        // Numbers that the source's rows will not keep: renumber().
        const bool given_again = std::any_of(key.needs.begin(), key.needs.end(), [&](const auto& name) {
            const MergeColumn* column = plan_.tables[i].column(name);
            return column != nullptr && column->extra && column->from_sequence;
        });
        if (!given_again)
            statements.push_back(
                reject(rows(i), why,
                       fmt::format("s.{0} in (select a.{0} from {1} a join (select {2} from {3} b where {4}) "
                                   "o on {5})",
                                   row, ours, join(values, ", "), base(i), where, all(same))));
        // Of two the later one goes, unless the earlier one goes itself.
        statements.push_back(fmt::format(
            "with pair as materialized (select a.{0} as a, o.{0} as o from {1} a join {1} o on o.{0} < a.{0} "
            "and {2}) update {3} s set {4} = 'x', {5} = {6} where s.{4} = 'a' and s.{0} in (select p.a from "
            "pair p where not exists (select from pair q where q.a = p.o))",
            row, ours, all(same), rows(i), state, reason, quote_literal(why)));
    }
    return statements;
}

std::vector<RowSql::Probe> RowSql::probes(std::size_t i, Moment moment) const {
    std::vector<Probe> probes;
    const auto add_key = [&](const std::string& name, const Columns& expressions,
                             const std::string& predicate) {
        const std::string why = "key " + one_line(name) + " cannot be computed";
        if (!predicate.empty()) probes.push_back({predicate, why});
        const std::string where = predicate.empty() ? "true" : "(" + predicate + ")";
        for (const std::string& expression : expressions)
            probes.push_back({"case when " + where + " then (" + expression + ") end", why});
    };
    if (moment == Moment::generating) {
        for (const auto& [name, expression] : now_[i].generated)
            probes.push_back({expression, "column " + one_line(name) + " cannot be computed"});
    } else if (moment == Moment::matching) {
        for (const ExpressionKey& key : plan_.tables[i].expression_keys)
            add_key(in_words(key.reads), key.expressions, key.predicate);
    } else {
        for (const TableNow::Check& check : now_[i].checks)
            probes.push_back({check.expression, "check " + one_line(check.name) + " cannot be computed"});
        for (const TableNow::Key& key : now_[i].keys)
            if (key.columns.empty()) add_key(key.name, key.expressions, key.predicate);
    }
    return probes;
}

Statements RowSql::number_rows(std::size_t i) const {
    return {fmt::format("create index if not exists pgsluice_numbers_{} on {} ({})", i, rows(i), row)};
}

std::string RowSql::undecided(std::size_t i) const {
    return fmt::format("select min({0}) as first, max({0}) as last from {1} where {2} in ('u', 'a')", row,
                       rows(i), state);
}

std::string RowSql::compute(std::size_t i, const Probe& probe, std::int64_t first, std::int64_t last) const {
    return fmt::format("select count(({})) from {} where {} in ('u', 'a') and {} between {} and {}",
                       probe.expression, rows(i), state, row, first, last);
}

std::string RowSql::reject_one(std::size_t i, const std::string& why, std::int64_t one) const {
    return fmt::format("update {} s set {} = 'x', {} = {} where s.{} = {}", rows(i), state, reason,
                       quote_literal(why), row, one);
}

Statements RowSql::check(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    if (table.role == Role::referenced) return statements;
    if (staged(i)) {
        statements = reject_bad(i);
        for (const std::size_t r : references_of(i)) {
            const Reference& reference = plan_.references[r];
            const std::size_t j = index_of(reference.parent);
            const std::string nowhere = "reference " + in_words(reference.child_columns) + ": its row of " +
                                        one_line(reference.parent.schema + "." + reference.parent.name) +
                                        " was rejected";
            // Its parent was rejected after it had followed.
            const std::string gone =
                fmt::format("exists (select from {} p where p.{} = s.{} and p.{} in ('x', 'g'))", rows(j),
                            row, link(r), state);
            if (reference.null_columns.empty()) {
                statements.push_back(reject(rows(i), nowhere, gone));
            } else {
                Columns nulls;
                for (const std::string& name : reference.null_columns)
                    nulls.push_back(quote_identifier(name) + " = null");
                statements.push_back(fmt::format(
                    "update {} s set {}, {} = {} + 1, {} = -2, {} = {} where s.{} in ({}) and {}", rows(i),
                    join(nulls, ", "), nulled, nulled, link(r), reason, quote_literal(nowhere), state,
                    of_target_only(r) ? "'a', 's', 'd'" : "'a'", gone));
            }
            Columns differs;
            for (std::size_t k = 0; k < reference.child_columns.size(); ++k)
                differs.push_back(differ(column("s", reference.child_columns[k]),
                                         table.column(reference.child_columns[k])->type,
                                         column("p", reference.parent_columns[k]),
                                         plan_.tables[j].column(reference.parent_columns[k])->type));
            statements.push_back(reject(
                rows(i), "reference " + in_words(reference.child_columns) + ": contradicts another one",
                fmt::format("exists (select from {} p where p.{} = s.{} and ({}))", rows(j), row, link(r),
                            join(differs, " or "))));
        }
        const Statements loose = check_loose(i);
        statements.insert(statements.end(), loose.begin(), loose.end());
        statements.push_back(
            reject(rows(i), "its references and keys are a cycle", "not (" + all_done(i, "s") + ")"));
        statements.push_back(
            fmt::format("update {} s set {} = 'x', {} = 'equal to a row that was rejected' where s.{} = 't' "
                        "or (s.{} = 'd' and exists (select from {} w where w.{} = s.{} and w.{} in ('x', "
                        "'g')))",
                        rows(i), state, reason, state, state, rows(i), row, twin, state));
    }
    const Statements generated = compute_generated(i);
    statements.insert(statements.end(), generated.begin(), generated.end());
    for (const std::string& name : now_[i].not_null) {
        if (preview() && holds(table.missing_columns, name)) {
            if (!now_[i].defaults.contains(name))
                statements.push_back(
                    reject(rows(i), "column " + one_line(name) + " may not be NULL", "true"));
            continue;
        }
        statements.push_back(
            reject(rows(i), "column " + one_line(name) + " may not be NULL", column("s", name) + " is null"));
    }
    for (const TableNow::Check& one : now_[i].checks)
        statements.push_back(reject(rows(i), one.why.empty() ? "breaks check " + one_line(one.name) : one.why,
                                    "not (" + one.expression + ")"));
    const Statements more = conflicts(i);
    statements.insert(statements.end(), more.begin(), more.end());
    return statements;
}

Statements RowSql::apply(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    if (table.role != Role::preserved) return statements;
    statements = renumber(i);
    Columns extra, extra_set, extra_differs;
    for (const MergeColumn& column : table.columns) {
        if (!column.extra) continue;
        extra.push_back(words::column("s", column.name));
        extra_set.push_back(quote_identifier(column.name) + " = " + words::column("s", column.name));
        extra_differs.push_back(fmt::format("b.{0}::pg_catalog.text is distinct from s.{0}::pg_catalog.text",
                                            quote_identifier(column.name)));
    }
    // After the rows that go: they may hold what these get.
    Statements own_values;
    if (!extra.empty())
        own_values.push_back(
            fmt::format("update {} b set {} from (select distinct on ({}, {}) {}, {}, {} from {} s where {} "
                        "in ('s', 'd') and {} is not "
                        "null order by {}, {}, {}) s where b.tableoid = s.{} and b.ctid = s.{} and ({})",
                        real(i), join(extra_set, ", "), in, at, in, at, join(extra, ", "), rows(i), state, at,
                        in, at, row, in, at, join(extra_differs, " or ")));
    const Columns columns = inserted(i);
    const std::string list = listed("", columns);
    const std::string values = listed("s", columns);
    if (table.row_key.empty()) {
        statements.push_back(
            fmt::format("delete from {} b using {} k where b.tableoid = k.in_table and b.ctid = k.at",
                        real(i), name("kept", i)));
        statements.push_back("delete from " + name("kept", i));
        statements.insert(statements.end(), own_values.begin(), own_values.end());
        statements.push_back(fmt::format(
            "with put as (insert into {} ({}) overriding system value select {} from {} s where {} = 'a' "
            "order by {} "
            "returning tableoid, ctid) insert into {} (in_table, at) select tableoid, ctid from put",
            pq::quote_qualified(table.name.schema, table.name.name), list, values, rows(i), state, row,
            name("kept", i)));
        return statements;
    }
    // A row that was merged before is told by its key here, whatever else of it changed on the target.
    Columns is_kept, is_row, of_row, old_keys, set, differs, keys;
    for (const std::string& key : table.row_key) {
        is_kept.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[b.{}]",
                                      quote_identifier("n " + key), quote_identifier(key)));
        of_row.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[s.{}]",
                                     quote_identifier("n " + key), quote_identifier(key)));
        keys.push_back(quote_identifier("o " + key));
        keys.push_back(quote_identifier("n " + key));
        old_keys.push_back("s." + old_column(i, key));
        old_keys.push_back(column("s", key));
    }
    for (const std::string& column : columns) {
        if (holds(table.row_key, column)) continue;
        set.push_back(quote_identifier(column) + " = " + words::column("s", column));
        differs.push_back(fmt::format("b.{0}::pg_catalog.text is distinct from s.{0}::pg_catalog.text",
                                      quote_identifier(column)));
    }
    const std::string kept = name("kept", i);
    statements.push_back(
        fmt::format("delete from {} b using {} k where {} and not exists (select from {} s where s.{} = 'a' "
                    "and {} and not ({}))",
                    real(i), kept, all(is_kept), rows(i), state, all(of_row), changes_key(i)));
    statements.insert(statements.end(), own_values.begin(), own_values.end());
    if (!set.empty())
        statements.push_back(fmt::format(
            "update {} b set {} from {} k, {} s where {} and s.{} = 'a' and {} and ({})", real(i),
            join(set, ", "), kept, rows(i), all(is_kept), state, all(of_row), join(differs, " or ")));
    // Two joins of two: three tables at once were joined by loops.
    statements.push_back(fmt::format(
        "with still as materialized (select k.* from {} k join {} b on {}) insert into {} ({}) overriding "
        "system value select {} from {} s where {} = 'a' and not exists (select from still k where {}) order "
        "by {}",
        kept, real(i), all(is_kept), pq::quote_qualified(table.name.schema, table.name.name), list, values,
        rows(i), state, all(of_row), row));
    statements.push_back("delete from " + kept);
    statements.push_back(fmt::format("insert into {} ({}) select {} from {} s where {} = 'a'", kept,
                                     join(keys, ", "), join(old_keys, ", "), rows(i), state));
    return statements;
}

// Of the row b that was merged before, which s would change in one of its unique or exclusion keys: it goes
// and comes again, as the server compares row by row, and two may have each other's values.
std::string RowSql::changes_key(std::size_t i) const {
    Columns columns, differs;
    for (const TableNow::Key& key : now_[i].keys)
        for (const std::string& name : key.needs)
            if (!holds(plan_.tables[i].row_key, name) && !holds(columns, name)) columns.push_back(name);
    for (const std::string& name : columns)
        differs.push_back(fmt::format("b.{0}::pg_catalog.text is distinct from s.{0}::pg_catalog.text",
                                      quote_identifier(name)));
    return differs.empty() ? "false" : join(differs, " or ");
}

std::string RowSql::shrinks(std::size_t i) const {
    if (plan_.tables[i].row_key.empty())
        return fmt::format("select exists (select from {})", name("kept", i));
    Columns is_kept, same;
    for (const std::string& key : plan_.tables[i].row_key) {
        is_kept.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[b.{}]",
                                      quote_identifier("n " + key), quote_identifier(key)));
        same.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[s.{}]",
                                   quote_identifier("n " + key), quote_identifier(key)));
    }
    return fmt::format(
        "select exists (select from {} k join {} b on {} where not exists (select from {} s where "
        "s.{} = 'a' and {} and not ({})))",
        name("kept", i), real(i), all(is_kept), rows(i), state, all(same), changes_key(i));
}

Statements RowSql::record_rejected(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const std::string shown = table.name.schema + "." + table.name.name;
    const std::string into =
        fmt::format("insert into pgsluice.rejected (table_name, reason, \"row\", run_id) select {}, ",
                    quote_literal(shown));
    Statements statements;
    if (table.role == Role::referenced) return statements;
    if (table.role == Role::extra) return record_rejected_extra(i);
    statements.push_back(fmt::format("delete from pgsluice.rejected where run_id = {} and table_name = {}",
                                     quote_literal(run_id_), quote_literal(shown)));
    statements.push_back(fmt::format(
        "{0}s.reason, pg_catalog.to_jsonb({1}) - 'pgsluice row', {2} from {3} {1} join ({4} union all select "
        "{5}, {6} from {7} where {8} = 'x') s on s.n = {1}.{5} order by s.n",
        into, whole, quote_literal(run_id_), raw(i), bad_rows(i), row, reason, rows(i), state));
    return statements;
}

// Rows in which a reference becomes NULL: of one that the source has only a reference of the target's own.
std::string RowSql::nulled_rows(std::size_t i) const {
    Columns of_target;
    for (const std::size_t r : references_of(i))
        if (of_target_only(r)) of_target.push_back(link(r) + " = -2");
    std::string sql = fmt::format("({} > 0 and ({} in ('a', 'k')", nulled, state);
    if (!of_target.empty())
        sql += fmt::format(" or ({} in ('s', 'd') and ({}))", state, join(of_target, " or "));
    return sql + "))";
}

std::string RowSql::counts(std::size_t i) const {
    const auto count = [](const std::string& where, const char* as) {
        return "count(*) filter (where " + where + ") as " + as;
    };
    const std::string s = state;
    const std::string bad = staged(i) ? fmt::format(" + (select count(*) from ({}) x)", bad_rows(i)) : "";
    return "select " + count(s + " = 's'", "same") + ", " + count(s + " = 'a'", "added") + ", " +
           count(s + " = 'a' and " + new_key, "new_keys") + ", " +
           count(s + " in ('a', 'k') and " + moved, "repointed") + ", " + count(s + " = 'd'", "duplicates") +
           ", " + count(s + " = 'g'", "deleted") + ", count(*) filter (where " + s + " = 'x')" + bad +
           " as rejected, " + count(nulled_rows(i), "nulled") + " from " + rows(i);
}

std::string RowSql::reasons(std::size_t i) const {
    std::string sql =
        fmt::format("select {0} as reason from {1} where {0} is not null and ({2} = 'x' or {3})", reason,
                    rows(i), state, nulled_rows(i));
    if (staged(i)) sql += fmt::format(" union select x.reason from ({}) x", bad_rows(i));
    return "select distinct q.reason from (" + sql + ") q order by 1 limit 20";
}

} // namespace pgsluice::merge
