// The end of a merge for extras: rows that moved are replaced in the table, once early and again for what
// changed meanwhile.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

// The settled rows (k) stay known: where they are, and what they held on the target.
Statements RowSql::replace_extra(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const Columns columns = inserted(i);
    const std::string into = pq::quote_qualified(table.name.schema, table.name.name);
    const std::string kept = name("kept", i);
    const std::string put = fmt::format(
        "insert into {} ({}) overriding system value select {} from {} s where {} = 'a' order by {}", into,
        listed("", columns), listed("s", columns), rows(i), state, row);
    const std::string take =
        fmt::format("delete from {} b using {} s where b.tableoid = s.{} and b.ctid = s.{} and s.{} <> 'k'",
                    real(i), rows(i), in, at, state);
    const std::string rejected_is_gone =
        fmt::format("update {} set {} = null, {} = null where {} = 'x'", rows(i), in, at, state);
    if (table.row_key.empty())
        return {take,
                fmt::format("delete from {} b using {} k where b.tableoid = k.in_table and b.ctid = k.at",
                            real(i), kept),
                "delete from " + kept,
                fmt::format("with put as ({} returning tableoid, ctid) insert into {} (in_table, at) select "
                            "tableoid, ctid from put",
                            put, kept),
                fmt::format("update {} set {} = 'k', {} = null, {} = null where {} = 'a'", rows(i), state, in,
                            at, state),
                rejected_is_gone};
    Columns same{"true"};
    for (const std::string& name : moving_columns(i))
        same.push_back(fmt::format("b.{0}::pg_catalog.text is not distinct from s.{0}::pg_catalog.text",
                                   quote_identifier(name)));
    return {fmt::format("update {} s set {} = 'k' from {} b where s.{} = 'a' and b.tableoid = s.{} and "
                        "b.ctid = s.{} and {}",
                        rows(i), state, real(i), state, in, at, all(same)),
            take, put,
            fmt::format("update {} s set {} = 'k', {} = b.tableoid, {} = b.ctid from {} b where s.{} = 'a' "
                        "and {}",
                        rows(i), state, in, at, real(i), state, equal(i, "b", "s", table.row_key)),
            rejected_is_gone};
}

Statements RowSql::begin_late_extra(std::size_t i) const {
    Statements statements{"delete from " + raw(i)};
    if (plan_.tables[i].row_key.empty()) return statements;
    statements.push_back("drop table if exists " + gone(i));
    statements.push_back(fmt::format("create unlogged table {} as select {} from {} b with no data", gone(i),
                                     listed("b", plan_.tables[i].row_key), real(i)));
    return statements;
}

// raw_N and gone_N speak of keys as they are on the target. A row that moved is found by what rows_N knows of
// it; whatever else is under such a key now moved there, and stays.
Statements RowSql::take_late_extra(std::size_t i, bool changed) const {
    const Columns& key = plan_.tables[i].row_key;
    Statements statements;
    if (key.empty() && changed) {
        statements = {"delete from " + real(i), "delete from " + rows(i), "delete from " + name("kept", i)};
    } else if (!key.empty()) {
        Columns was;
        for (const std::string& name : key)
            was.push_back(fmt::format("array[s.{}] operator(pg_catalog.=) array[{}]", old_column(i, name),
                                      column("g", name)));
        statements = {
            fmt::format("insert into {} select {} from {} r", gone(i), listed("r", key), raw(i)),
            fmt::format("delete from {} b using {} g where {} and not exists (select from {} z where z.{} = "
                        "b.tableoid and z.{} = b.ctid)",
                        real(i), gone(i), equal(i, "b", "g", key), rows(i), in, at),
            fmt::format("delete from {} b using {} s, {} g where b.tableoid = s.{} and b.ctid = s.{} and {}",
                        real(i), rows(i), gone(i), in, at, all(was)),
            fmt::format("delete from {} s using {} g where {}", rows(i), gone(i), all(was))};
    }
    statements.push_back(fmt::format("update {} set {} = 'a' where {} = 'x'{}", rows(i), state, state,
                                     key.empty() ? fmt::format(" or {} = 'k'", state) : ""));
    Columns into, values;
    for (const std::string& name : inserted(i)) {
        into.push_back(quote_identifier(name));
        values.push_back(column("r", name));
    }
    for (const std::string& name : traced(i)) {
        into.push_back(old_column(i, name));
        values.push_back(column("r", name));
    }
    statements.push_back(fmt::format("insert into {} ({}, {}, {}) select {}, r.{}, 'a' from {} r", rows(i),
                                     join(into, ", "), row, state, join(values, ", "), row, raw(i)));
    return statements;
}

std::string RowSql::count_with_rejected(std::size_t i) const {
    return fmt::format("select (select count(*) from {}) + (select count(*) from {} where {} = 'x')", real(i),
                       rows(i), state);
}

// As they were on the target, generated columns left out. What was rejected early is told again with what is
// rejected late, or not any more.
Statements RowSql::record_rejected_extra(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const std::string shown = quote_literal(table.name.schema + "." + table.name.name);
    const Columns moving = moving_columns(i);
    Columns values;
    for (const std::string& name : inserted(i))
        values.push_back(holds(moving, name) ? "s." + old_column(i, name) + " as " + quote_identifier(name)
                                             : column("s", name));
    return {
        fmt::format("delete from pgsluice.rejected where run_id = {} and table_name = {}",
                    quote_literal(run_id_), shown),
        fmt::format("insert into pgsluice.rejected (table_name, reason, \"row\", run_id) select {}, s.{}, "
                    "(select pg_catalog.to_jsonb({}) from (select {}) {}), {} from {} s where s.{} = 'x' "
                    "order by s.{}",
                    shown, reason, whole, join(values, ", "), whole, quote_literal(run_id_), rows(i), state,
                    row)};
}

} // namespace pgsluice::merge
