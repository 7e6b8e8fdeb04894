// From the rows as they came to rows of the table's types.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

// An explicit cast would cut a string that is too long: the assignment refuses it.
std::string RowSql::typed(const MergeColumn& column, const std::string& alias) const {
    std::string value = words::column(alias, column.name);
    if (!column.may_not_fit || preview() || column.type.starts_with("character")) return value;
    return value + "::" + column.type;
}

// Fails or is true where `value`, a text, is no value of the column.
std::string RowSql::test_of(const MergeColumn& column, const std::string& value) const {
    // Types of the user's own print what they read; where they do not, something was cut or rounded.
    const std::string& type = column.stand_in.empty() ? column.type : column.stand_in;
    const std::string again = fmt::format("({}::{})::pg_catalog.text", value, type);
    if (column.type.starts_with("character("))
        return fmt::format("pg_catalog.rtrim({}) <> pg_catalog.rtrim({})", again, value);
    if (column.type.find('.') != std::string::npos || column.type.starts_with("character"))
        return again + " <> " + value;
    // Never true: the server must not find that out without the cast.
    return fmt::format("({} is null and {} is not null)", again, value);
}

Statements RowSql::fill(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    Columns into, values;
    std::string new_keys;
    for (std::size_t k = 0; k < table.columns.size(); ++k) {
        const MergeColumn& column = table.columns[k];
        into.push_back(quote_identifier(column.name));
        values.push_back(fitting(i, k));
        if (!takes_default_key(i, column)) continue;
        new_keys += (new_keys.empty() ? "" : ", ") + std::to_string(k + 1);
        for (const TableNow::Sequence& sequence : now_[i].sequences)
            if (sequence.column == column.name && !preview())
                statements.push_back(advance(i, sequence, "exists (select from " + raw(i) + ")"));
    }
    if (!new_keys.empty()) {
        into.emplace_back(new_key);
        values.push_back(fmt::format("exists (select from {} x where x.n = r.{} and x.place in ({}))",
                                     name("bad", i), row, new_keys));
    }
    for (const std::string& column : preview() ? Columns{} : table.missing_columns) {
        const auto known_default = now_[i].defaults.find(column);
        if (known_default == now_[i].defaults.end()) continue;
        into.push_back(quote_identifier(column));
        values.push_back("(" + known_default->second + ")");
        // Numbers above those of the source's rows.
        for (const TableNow::Sequence& sequence : now_[i].sequences)
            if (sequence.column == column)
                statements.push_back(advance(i, sequence, "exists (select from " + raw(i) + ")"));
    }
    for (const std::string& column : traced(i)) {
        into.push_back(old_column(i, column));
        const MergeColumn& of = *table.column(column);
        values.push_back(of.apart ? words::column("r", column) : typed(of, "r"));
    }
    statements.push_back("delete from " + rows(i));
    statements.push_back(
        fmt::format("insert into {} ({}, {}) select {}, r.{} from {} r where not exists (select "
                    "from {} x where x.n operator(pg_catalog.=) r.{} and x.place = 0)",
                    rows(i), join(into, ", "), row, join(values, ", "), row, raw(i), name("bad", i), row));
    return statements;
}

// Predicates of keys may name them; again when references have moved.
Statements RowSql::compute_generated(std::size_t i) const {
    Statements statements;
    for (const auto& [name, expression] : now_[i].generated)
        statements.push_back(fmt::format("update {0} s set {1} = ({2}) where s.{3} in ('u', 'a') and "
                                         "{1}::pg_catalog.text is distinct from "
                                         "({2})::pg_catalog.text",
                                         rows(i), quote_identifier(name), expression, state));
    return statements;
}

// Past everything that either side has. A sequence that counts down has its own end.
std::string RowSql::advance(std::size_t i, const TableNow::Sequence& sequence,
                            const std::string& condition) const {
    const std::string literal = quote_literal(sequence.sequence) + "::pg_catalog.regclass";
    Columns high{fmt::format("pg_catalog.pg_sequence_last_value({})", literal)};
    if (!sequence.target_value.empty()) high.push_back(sequence.target_value);
    Columns low = high;
    if (sequence.integer) {
        const std::string quoted = quote_identifier(sequence.column);
        const auto add = [&](const std::string& column, const std::string& from) {
            high.push_back(fmt::format("(select pg_catalog.max({}) from {})", column, from));
            low.push_back(fmt::format("(select pg_catalog.min({}) from {})", column, from));
        };
        add(quoted, real(i));
        // A key of another kind of type says nothing of numbers.
        const MergeColumn* column = plan_.tables[i].column(sequence.column);
        if (column != nullptr && !column->apart) add(old_column(i, sequence.column), rows(i));
    }
    return fmt::format(
        "select pg_catalog.setval({0}, case when q.seqincrement > 0 then least(m.high, q.seqmax) else "
        "greatest(m.low, q.seqmin) end) from pg_catalog.pg_sequence q, (select greatest({1})::int8 as high, "
        "least({2})::int8 as low) m where q.seqrelid = {0} and case when q.seqincrement > 0 then m.high >= "
        "q.seqmin else m.low <= q.seqmax end and {3}",
        literal, join(high, ", "), join(low, ", "), condition);
}

Statements RowSql::set_sequences(std::size_t i) const {
    Statements statements;
    if (plan_.tables[i].role != Role::preserved || preview()) return statements;
    const std::string any_added = fmt::format("exists (select from {} where {} = 'a')", rows(i), state);
    for (const TableNow::Sequence& sequence : now_[i].sequences)
        statements.push_back(advance(i, sequence, any_added));
    return statements;
}

// The source's rows took numbers of a sequence that only the target has when the column was added: those that
// the target's rows hold there are theirs, the source's take others. First all, then each its own: two rows
// may have each other's.
Statements RowSql::renumber(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Statements statements;
    for (const MergeColumn& column : table.columns) {
        if (!column.extra || !column.from_sequence || !now_[i].defaults.contains(column.name)) continue;
        for (const TableNow::Sequence& sequence : now_[i].sequences)
            if (sequence.column == column.name)
                statements.push_back(advance(i, sequence, "exists (select from " + rows(i) + ")"));
        const std::string quoted = quote_identifier(column.name);
        statements.push_back(fmt::format(
            "update {0} b set {1} = default where exists (select from {2} s where s.{3} in ('a', 's', 'd') "
            "and "
            "array[s.{1}] operator(pg_catalog.=) array[b.{1}]) and exists (select from {4} o where "
            "o.tableoid = "
            "b.tableoid and o.ctid = b.ctid) and not exists (select from {2} s where s.{3} in ('s', 'd') and "
            "s.{5} = b.tableoid and s.{6} = b.ctid)",
            real(i), quoted, rows(i), state, base(i), in, at));
        statements.push_back(fmt::format(
            "with put as (update {0} b set {1} = default from (select distinct on ({2}, {3}) {2}, {3}, {1} "
            "from "
            "{4} where {5} in ('s', 'd') and {3} is not null order by {2}, {3}, {6}) s where b.tableoid = "
            "s.{2} "
            "and b.ctid = s.{3} and b.{1} is distinct from s.{1} returning s.{2} as was_in, s.{3} as was_at, "
            "b.tableoid as now_in, b.ctid as now_at) update {4} s set {2} = put.now_in, {3} = put.now_at "
            "from put "
            "where s.{2} = put.was_in and s.{3} = put.was_at",
            real(i), quoted, in, at, rows(i), state, row));
    }
    return statements;
}

} // namespace pgsluice::merge
