// Keys of the source's rows, and what a preview has in place of the new database.
#include <tuple>

#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

std::string RowSql::key_text(const std::string& alias, const std::vector<std::string>& columns) const {
    Columns values;
    for (const std::string& name : columns) values.push_back(column(alias, name) + "::pg_catalog.text");
    return "array[" + join(values, ", ") + "]::pg_catalog.text[]";
}

namespace {

std::string name_array(const Columns& columns) {
    Columns names;
    for (const std::string& name : columns) names.push_back(quote_literal(name));
    return "array[" + join(names, ", ") + "]::pg_catalog.text[]";
}

} // namespace

std::vector<RowSql::Recorded> RowSql::recorded(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const bool known_by_any = table.known_if_recorded && table.duplicates_by.empty();
    std::vector<Recorded> keys;
    for (const Columns& natural : table.natural_keys)
        keys.push_back({natural, key_text("", natural), "true", known_by_any});
    Columns none_applies;
    for (const ExpressionKey& key : table.expression_keys) {
        Columns texts, applies;
        for (const std::string& expression : key.expressions) {
            texts.push_back("(" + expression + ")::pg_catalog.text");
            if (!key.nulls_equal) applies.push_back("(" + expression + ") is not null");
        }
        if (!key.predicate.empty()) applies.push_back("(" + key.predicate + ")");
        keys.push_back({key.expressions, "array[" + join(texts, ", ") + "]::pg_catalog.text[]", all(applies),
                        known_by_any});
        none_applies.push_back("(" + all(applies) + ") is not true");
    }
    // Rows that have nothing but a generated key.
    if (table.known_if_recorded && !table.duplicates_by.empty())
        keys.push_back({table.primary_key, key_text("", table.primary_key), all(none_applies), true});
    return keys;
}

std::string RowSql::primary_text(std::size_t i, const Recorded& key) const {
    const Columns& primary = plan_.tables[i].primary_key;
    return primary.empty() ? key.value : key_text("", primary);
}

Statements RowSql::record_keys(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    for (const Recorded& key : recorded(i)) {
        const Columns& primary = table.primary_key.empty() ? key.names : table.primary_key;
        statements.push_back(fmt::format("insert into {} (run_id, table_schema, table_name, "
                                         "key_columns, natural_columns, primary_key, "
                                         "natural_key) select {}, {}, {}, {}, {}, {}, {} from {} b where {}",
                                         ours("key"), quote_literal(run_id_),
                                         quote_literal(table.name.schema), quote_literal(table.name.name),
                                         name_array(primary), name_array(key.names), primary_text(i, key),
                                         key.value, base(i), key.applies));
    }
    return statements;
}

// Both its keys were the source's at the last run, and the source has neither now. Before anything is
// re-pointed: rows and record are both of the target. The row's own side of each comparison is outside of the
// subquery, whose columns would else take the place of the row's columns of the same name.
Statements RowSql::mark_deleted(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    if (table.role != Role::preserved) return statements;
    const std::vector<Recorded> keys = recorded(i);
    const auto columns_of = [&](const Recorded& key) {
        return table.primary_key.empty() ? key.names : table.primary_key;
    };
    const std::string of_table =
        fmt::format("k.table_schema = {} and k.table_name = {}", quote_literal(table.name.schema),
                    quote_literal(table.name.name));
    const std::vector<std::size_t> references = references_of(i);
    const bool in_cycles = std::any_of(references.begin(), references.end(), [&](std::size_t r) {
        return in_a_key(i, plan_.references[r].child_columns);
    });
    for (const Recorded& key : keys) {
        // Of rejected ones perhaps no key can be computed. The server asks what is cheap first.
        const std::string was_there = fmt::format(
            "{} <> 'x' and ({}) and ({}, {}) in (select k.primary_key, k.natural_key from {} k where "
            "k.key_columns = {} and k.natural_columns = {})",
            state, key.applies, primary_text(i, key), key.value, was(i), name_array(columns_of(key)),
            name_array(key.names));
        if (key.makes_known)
            statements.push_back(fmt::format("update {} set {} = true where {}", rows(i), known, was_there));
        else if (in_cycles && !table.known_if_recorded)
            statements.push_back(fmt::format("update {} set {} = true where {} and ({}, {}) in (select "
                                             "k.primary_key, k.natural_key from {} k "
                                             "where {} and k.key_columns = {} and k.natural_columns = {})",
                                             rows(i), known, was_there, primary_text(i, key), key.value,
                                             ours("key"), of_table, name_array(columns_of(key)),
                                             name_array(key.names)));
        if (!plan_.keep_deleted)
            statements.push_back(fmt::format("update {} set {} = 'g' where {} = 'u' and {}", rows(i), state,
                                             state, was_there));
    }
    if (plan_.keep_deleted) return statements;
    for (const Recorded& key : keys)
        for (const auto& [value, of, columns, names] :
             {std::tuple{primary_text(i, key), "primary_key", "key_columns", columns_of(key)},
              std::tuple{key.value, "natural_key", "natural_columns", key.names}})
            statements.push_back(
                fmt::format("update {} set {} = 'u' where {} = 'g' and ({}) and {} in (select k.{} from {} k "
                            "where {} and k.{} = {})",
                            rows(i), state, state, key.applies, value, of, ours("key"), of_table, columns,
                            name_array(names)));
    return statements;
}

Statements RowSql::create_common() const {
    return {"drop table if exists " + ours("hit"),
            fmt::format("{} {} (n int8, by_key text, in_table oid, at_row tid)", create_table(), ours("hit")),
            "drop table if exists " + ours("pair") + ", " + ours("need"),
            fmt::format(
                "{} {} (id int8 generated by default as identity, i int4, by_key int4, n int8, in_table oid, "
                "at_row tid, same bool, named bool)",
                create_table(), ours("pair")),
            fmt::format("{} {} (pair int8, i int4, n int8, in_table oid, at_row tid)", create_table(),
                        ours("need"))};
}

std::vector<std::string> RowSql::source_columns(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Columns wanted = parent_columns(i);
    const auto want = [&](const Columns& more) { wanted.insert(wanted.end(), more.begin(), more.end()); };
    want(table.primary_key);
    for (const Columns& key : table.natural_keys) want(key);
    for (const ExpressionKey& key : table.expression_keys) want(key.reads);
    want(table.duplicates_by);
    want(table.row_key);
    want(cycle_columns(i));
    if (table.role == Role::preserved)
        for (const TableNow::Key& key : now_[i].keys) want(key.needs);
    for (const MergeColumn& column : table.columns)
        if (column.from_sequence) wanted.push_back(column.name);
    Columns ordered;
    for (const MergeColumn& column : table.columns)
        if (!column.extra && holds(wanted, column.name)) ordered.push_back(column.name);
    for (const auto& [column, expression] : now_[i].generated)
        if (holds(wanted, column) || !table.expression_keys.empty()) ordered.push_back(column);
    // A table of one row is known by no column.
    for (const MergeColumn& column : table.columns)
        if (ordered.empty() && !column.extra) ordered.push_back(column.name);
    return ordered;
}

Statements RowSql::fill_raw(std::size_t i) const {
    Columns columns;
    for (const MergeColumn& column : plan_.tables[i].columns)
        columns.push_back(quote_identifier(column.name));
    std::string out = copy_out(i);
    out = out.substr(std::string_view("copy (").size());
    out.resize(out.size() - std::string_view(") to stdout").size());
    return {"insert into " + raw(i) + " (" + join(columns, ", ") + ") " + out};
}

std::string RowSql::raw_mark(std::size_t i) const {
    Columns columns;
    for (const MergeColumn& column : plan_.tables[i].columns) columns.push_back(column.name);
    return fmt::format("select count(*) || ' ' || coalesce(pg_catalog.sum(pg_catalog.hashtextextended("
                       "(row({}))::pg_catalog.text, 0)), 0) from {}",
                       listed("", columns), raw(i));
}

// What the table holds when the preserved rows are in it.
std::string RowSql::final_rows(std::size_t i) const {
    if (!preview()) return real(i);
    const Columns columns = parent_columns(i);
    Columns of_source; // which lacks the target's own columns
    for (const std::string& column : columns) {
        const MergeColumn& facts = *plan_.tables[i].column(column);
        of_source.push_back((facts.extra ? "null::" + facts.type + " as " : "") + quote_identifier(column));
    }
    return fmt::format("(select {} from {} union all select {} from {} where {} = 'a')",
                       join(of_source, ", "), source_rows(i), listed("", columns), rows(i), state);
}

// A new key. A preview takes none from the sequence: any value that nobody has will do.
std::string RowSql::new_value(std::size_t i, const std::string& column) const {
    if (!preview()) return now_[i].defaults.at(column);
    for (const TableNow::Sequence& sequence : now_[i].sequences)
        if (sequence.column == column && sequence.integer)
            return fmt::format("greatest((select pg_catalog.max({0}) from {1}), (select pg_catalog.max({2}) "
                               "from {3})) + s.{4}",
                               quote_identifier(column), source_rows(i), old_column(i, column), rows(i), row);
    return now_[i].defaults.at(column);
}

} // namespace pgsluice::merge
