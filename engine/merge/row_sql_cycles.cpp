// Rows that only wait for each other: their keys hold references that lead back to them. Each has candidates
// among the source's rows (pair); a candidate needs that the rows it refers to are candidates of the rows
// that the target's row refers to (need). Those that need what is none go until nothing changes: what is left
// agrees with the source's rows, taken together.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

namespace {

constexpr const char* many = "\"pgsluice many\"";
// A name that more of the source's rows have than this tells nobody.
constexpr int candidates_max = 10;

// The number of "all else is equal" among the keys.
constexpr int by_all_else = -1;

} // namespace

std::vector<RowSql::CycleKey> RowSql::cycle_keys(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    std::vector<CycleKey> keys;
    for (const Columns& columns : table.natural_keys) keys.push_back({columns, "", false, {}, {}});
    for (const ExpressionKey& key : table.expression_keys) {
        CycleKey made{{}, key.predicate, !key.nulls_equal, {}, {}};
        for (const std::string& expression : key.expressions)
            for (const std::string& name : key.reads)
                if (expression == quote_identifier(name) || expression == "(" + name + ")" ||
                    expression == "(" + quote_identifier(name) + ")")
                    made.columns.push_back(name);
        if (made.columns.size() == key.expressions.size()) keys.push_back(std::move(made));
    }
    for (CycleKey& key : keys) {
        for (const std::string& name : key.columns)
            if (references_with(i, name).empty()) key.names.push_back(name);
        const auto is_within = [&](std::size_t r) {
            const Columns& columns = plan_.references[r].child_columns;
            return std::all_of(columns.begin(), columns.end(),
                               [&](const std::string& name) { return holds(key.columns, name); });
        };
        // Of (tenant) and (tenant, boss) only the first, where boss is not in the key.
        for (const std::size_t r : references_of(i)) {
            const Columns& columns = plan_.references[r].child_columns;
            const bool leads =
                is_within(r) || std::any_of(columns.begin(), columns.end(), [&](const auto& name) {
                    const std::vector<std::size_t> others = references_with(i, name);
                    return holds(key.columns, name) && std::none_of(others.begin(), others.end(), is_within);
                });
            if (leads) key.references.push_back(r);
        }
    }
    return keys;
}

// Others wait for it. What nobody waits for is decided by the rounds once its own references are.
std::string RowSql::awaited(std::size_t i) const {
    Columns by;
    for (std::size_t r = 0; r < plan_.references.size(); ++r) {
        const Reference& reference = plan_.references[r];
        const std::size_t child = index_of(reference.child);
        if (reference.parent == plan_.tables[i].name && staged(child))
            by.push_back(fmt::format("s.{} in (select c.{} from {} c where c.{} = 'u' and not c.{})", row,
                                     link(r), rows(child), state, link_done(r)));
    }
    return by.empty() ? "false" : fmt::format("s.{} = 'u' and ({})", state, join(by, " or "));
}

std::string RowSql::waits_in_cycle(std::size_t i) const {
    return fmt::format("select exists (select from {} s where {})", rows(i), awaited(i));
}

// The row has the key of that row of the source, as it came.
std::string RowSql::same_key(std::size_t i) const {
    Columns same;
    for (const std::string& name : plan_.tables[i].row_key) {
        if (plan_.tables[i].column(name) == nullptr) return "false"; // of a referenced table not all are read
        same.push_back(fmt::format("array[s.{}] operator(pg_catalog.=) array[{}]", old_column(i, name),
                                   column("b", name)));
    }
    return all(same, "false");
}

// The key's columns in which the row's references have not been followed.
std::string RowSql::open(std::size_t r, const CycleKey& key) const {
    const Reference& reference = plan_.references[r];
    Columns within;
    for (const std::string& name : reference.child_columns)
        if (holds(key.columns, name)) within.push_back(name);
    return "not (" + done(index_of(reference.child), within, "s") + ")";
}

// The source's reference leads there.
std::string RowSql::source_leads(std::size_t r, const std::string& child, const std::string& parent) const {
    const Reference& reference = plan_.references[r];
    const MergeTable& of_child = plan_.tables[index_of(reference.child)];
    const MergeTable& of_parent = plan_.tables[index_of(reference.parent)];
    Columns same;
    for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
        const MergeColumn& from = *of_child.column(reference.child_columns[k]);
        const MergeColumn& to = *of_parent.column(reference.parent_columns[k]);
        if (from.extra || to.extra) return "false";
        same.push_back(fmt::format("array[{}{}] operator(pg_catalog.=) array[{}]", column(child, from.name),
                                   from.type == to.type ? "" : "::" + to.type, column(parent, to.name)));
    }
    return all(same);
}

std::string RowSql::may_agree(std::size_t i, const CycleKey& key) const {
    Columns conditions;
    if (!key.names.empty()) conditions.push_back(equal(i, "s", "b", key.names));
    for (const std::string& name : key.columns) {
        if (!holds(key.names, name))
            conditions.push_back(
                fmt::format("(not ({}) or {})", settled(i, name, "s"), equal(i, "s", "b", {name})));
        if (key.not_null)
            conditions.push_back(
                fmt::format("{} is not null and {} is not null", column("s", name), column("b", name)));
    }
    if (!key.not_null) conditions.push_back(holds_any("s", key.columns));
    // A row is its own parent on both sides or on none.
    for (const std::size_t r : key.references)
        if (plan_.references[r].parent == plan_.tables[i].name)
            conditions.push_back(fmt::format("(not {} or (s.{} = s.{}) = coalesce({}, false))", open(r, key),
                                             link(r), row, source_leads(r, "b", "b")));
    if (!key.predicate.empty())
        conditions.push_back(
            fmt::format("s.{} in (select {} from {} where ({}))", row, row, rows(i), key.predicate));
    return all(conditions);
}

// Where neither the key's references nor the key itself mean anything, the rest of the row has to be equal.
std::vector<std::string> RowSql::all_else(std::size_t i, const CycleKey& key) const {
    const MergeTable& table = plan_.tables[i];
    Columns rest;
    if (!key.names.empty() || !(table.generated_key || table.known_if_recorded)) return rest;
    for (const MergeColumn& column : table.columns)
        if (!column.extra && !holds(table.row_key, column.name) && !holds(key.columns, column.name))
            rest.push_back(column.name);
    return rest;
}

std::vector<std::string> RowSql::cycle_columns(std::size_t i) const {
    Columns wanted;
    for (const CycleKey& key : cycle_keys(i)) {
        const Columns rest = all_else(i, key);
        wanted.insert(wanted.end(), rest.begin(), rest.end());
        for (const std::size_t r : key.references)
            wanted.insert(wanted.end(), plan_.references[r].child_columns.begin(),
                          plan_.references[r].child_columns.end());
    }
    return wanted;
}

Statements RowSql::pair_candidates(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const std::string into =
        "insert into " + ours("pair") + " (i, by_key, n, in_table, at_row, same, named) ";
    Statements statements;
    const std::vector<CycleKey> keys = cycle_keys(i);
    for (std::size_t k = 0; k < keys.size(); ++k) {
        const CycleKey& key = keys[k];
        Columns read = key.columns, tells;
        for (const std::string& name : table.row_key)
            if (table.column(name) != nullptr && !holds(read, name)) read.push_back(name);
        const Columns rest = all_else(i, key);
        read.insert(read.end(), rest.begin(), rest.end());
        for (const std::size_t r : key.references)
            for (const Columns* more :
                 {&plan_.references[r].child_columns, &plan_.references[r].parent_columns})
                for (const std::string& name : *more) {
                    const MergeColumn* column = table.column(name);
                    if (column != nullptr && !column->extra && !holds(read, name)) read.push_back(name);
                }
        for (const std::string& name : key.names)
            tells.push_back(fmt::format("array[{}{}]", column("b", name),
                                        now_[i].no_equality.contains(name) ? "::pg_catalog.text" : ""));
        const std::string where = key.predicate.empty() ? "" : " where (" + key.predicate + ")";
        const auto candidates = [&](const std::string& count) {
            return fmt::format("(select b.tableoid as {}, b.ctid as {}, {} as {}, {} from {} b{})", in, at,
                               count, many, listed("b", read), base(i), where);
        };
        const auto pairs = [&](const std::string& count, const std::string& same,
                               const std::string& condition) {
            return into +
                   fmt::format("select {}, {}, s.{}, b.{}, b.{}, {}, {} from {} s join {} b on {} and {} "
                               "where {}",
                               i, k, row, in, at, same, !key.names.empty(), rows(i), candidates(count),
                               may_agree(i, key), condition, awaited(i));
        };
        std::string under_same = same_key(i);
        if (!rest.empty()) under_same += fmt::format(" and ({} or s.{})", equal(i, "s", "b", rest), known);
        statements.push_back(pairs("0", "true", under_same));
        if (!key.names.empty())
            statements.push_back(
                pairs("count(*) over (partition by " + join(tells, ", ") + ")", "false",
                      fmt::format("not ({}) and b.{} <= {}", same_key(i), many, candidates_max)));
    }
    // Of those that have no other key.
    if (table.known_if_recorded && !table.duplicates_by.empty() && table.rest_tells)
        statements.push_back(
            into +
            fmt::format("select {}, {}, s.{}, b.tableoid, b.ctid, true, false from {} s join {} b on {} and "
                        "{} where {}",
                        i, by_all_else, row, rows(i), base(i), equal(i, "s", "b", table.primary_key),
                        equal(i, "s", "b", table.duplicates_by), awaited(i)));
    return statements;
}

// A key that is one reference and nothing else: whoever has it on the source is a candidate, where its parent
// is one by a name.
Statements RowSql::spread_pairs(std::size_t i) const {
    const std::vector<CycleKey> keys = cycle_keys(i);
    Statements statements;
    for (std::size_t k = 0; k < keys.size(); ++k) {
        if (!keys[k].names.empty() || keys[k].references.size() != 1 || !keys[k].predicate.empty()) continue;
        const std::size_t r = keys[k].references[0], j = index_of(plan_.references[r].parent);
        statements.push_back(fmt::format(
            "insert into {0} (i, by_key, n, in_table, at_row, same, named) select {1}, {2}, s.{3}, "
            "b.tableoid, "
            "b.ctid, {4}, true from {5} s join {0} p on p.i = {6} and p.named and p.n = s.{7} join {8} w on "
            "w.tableoid = p.in_table and w.ctid = p.at_row join {9} b on {10} where {11} and {12} and not "
            "exists "
            "(select from {0} x where x.i = {1} and x.by_key = {2} and x.named and x.n = s.{3} and "
            "x.in_table = "
            "b.tableoid and x.at_row = b.ctid)",
            ours("pair"), i, k, row, same_key(i), rows(i), j, link(r), base(j), base(i),
            source_leads(r, "b", "w"), open(r, keys[k]), awaited(i)));
    }
    return statements;
}

Statements RowSql::find_needs(std::size_t i) const {
    Statements statements;
    const auto add = [&](int key, std::size_t r, const std::string& is_open) {
        const std::size_t j = index_of(plan_.references[r].parent);
        statements.push_back(fmt::format("insert into {} (pair, i, n, in_table, at_row) select p.id, {}, "
                                         "s.{}, w.tableoid, w.ctid from {} p join "
                                         "{} s on s.{} = p.n join {} b on b.tableoid = p.in_table and b.ctid "
                                         "= p.at_row left join {} w on {} "
                                         "where p.i = {} and p.by_key = {} and {}",
                                         ours("need"), j, link(r), ours("pair"), rows(i), row, base(i),
                                         base(j), source_leads(r, "b", "w"), i, key, is_open));
    };
    const std::vector<CycleKey> keys = cycle_keys(i);
    for (std::size_t k = 0; k < keys.size(); ++k)
        for (const std::size_t r : keys[k].references) add(static_cast<int>(k), r, open(r, keys[k]));
    for (const std::size_t r : references_of(i))
        if (!of_target_only(r)) add(by_all_else, r, "not s." + link_done(r));
    return statements;
}

Statements RowSql::forget_pairs() const {
    return {"delete from " + ours("pair"), "delete from " + ours("need")};
}

std::string RowSql::drop_unmet() const {
    return fmt::format(
        "delete from {0} where id in (select d.pair from {1} d where not exists (select from {0} p "
        "where p.i = d.i and p.n = d.n and p.in_table = d.in_table and p.at_row = d.at_row))",
        ours("pair"), ours("need"));
}

// Under the same key before all others.
std::string RowSql::prefer_same_key() const {
    return fmt::format("delete from {0} where not same and (i, n) in (select i, n from {0} where same)",
                       ours("pair"));
}

// Of several nobody can say which; also where another row takes one of them.
Statements RowSql::drop_doubtful() const {
    return {
        fmt::format(
            "delete from {0} where (i, n) in (select i, n from {0} group by i, n having count(distinct "
            "(in_table, at_row)) > 1)",
            ours("pair")),
        fmt::format(
            "delete from {0} where not same and (i, in_table, at_row) in (select i, in_table, at_row from "
            "{0} where same)",
            ours("pair")),
        fmt::format(
            "delete from {0} where (i, in_table, at_row) in (select i, in_table, at_row from {0} group by "
            "i, in_table, at_row having count(distinct n) > 1)",
            ours("pair"))};
}

std::string RowSql::drop_taken(std::size_t i) const {
    return fmt::format(
        "delete from {} p using {} s where p.i = {} and s.{} = 's' and s.{} = p.in_table and s.{} = "
        "p.at_row",
        ours("pair"), rows(i), i, state, in, at);
}

std::string RowSql::settle_pairs(std::size_t i) const {
    return fmt::format(
        "update {} s set {} = 's', {} = p.in_table, {} = p.at_row from (select distinct n, in_table, "
        "at_row from {} where i = {}) p where s.{} = p.n",
        rows(i), state, in, at, ours("pair"), i, row);
}

// The last run recorded it as the source's, which still has its keys.
std::string RowSql::settle_recorded(std::size_t i) const {
    return fmt::format(
        "update {} s set {} = 's', {} = b.tableoid, {} = b.ctid from {} b where s.{} and {} and {}", rows(i),
        state, in, at, base(i), known, same_key(i), awaited(i));
}

} // namespace pgsluice::merge
