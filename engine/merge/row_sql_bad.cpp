// Values of the target that are none of the column's type here. A row that cannot be looked for without the
// value is set aside at once; any other value matters only if its row is to be added.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

namespace {

// Beside the columns of the user's table.
constexpr const char* place = "\"pgsluice place\"";

// In bad_N: 0 sets the row aside, else which column it is.
std::string place_of(std::size_t k) { return std::to_string(k + 1); }

} // namespace

// Rows are matched by it, or lead somewhere by it, or are led to. A key of another kind of type is known by
// what it was on the target, and what a reference holds by what it leads to: these may be NULL meanwhile,
// where no row of the source is taken for equal by that.
bool RowSql::needed(std::size_t i, const MergeColumn& column) const {
    const MergeTable& table = plan_.tables[i];
    const auto holds_it = [&](const Columns& columns) { return holds(columns, column.name); };
    const bool natural = std::any_of(table.natural_keys.begin(), table.natural_keys.end(), holds_it);
    const bool told_by = holds_it(table.duplicates_by) ||
                         std::any_of(table.expression_keys.begin(), table.expression_keys.end(),
                                     [&](const ExpressionKey& key) { return holds_it(key.reads); });
    if (column.apart)
        return references_with(i, column.name).empty() && (told_by || (natural && !column.not_null));
    return told_by || natural || holds_it(traced(i)) || holds_it(table.primary_key);
}

// A key that meant nothing by itself: the row gets one as rows do here.
bool RowSql::takes_default_key(std::size_t i, const MergeColumn& column) const {
    const MergeTable& table = plan_.tables[i];
    return column.apart && !needed(i, column) && table.role == Role::preserved &&
           holds(table.primary_key, column.name) && references_with(i, column.name).empty() &&
           now_[i].defaults.contains(column.name);
}

// It comes from elsewhere, or is not asked for.
bool RowSql::excused(std::size_t i, const MergeColumn& column) const {
    if (!column.apart || needed(i, column)) return false;
    return takes_default_key(i, column) || plan_.tables[i].role == Role::referenced ||
           !references_with(i, column.name).empty();
}

// What stands in the row where the value is none; a column that only the target has keeps its default.
std::string RowSql::instead(std::size_t i, const MergeColumn& column) const {
    const auto known_default = now_[i].defaults.find(column.name);
    if (takes_default_key(i, column)) {
        const Columns& key = plan_.tables[i].row_key;
        if (key != Columns{column.name}) return "(" + known_default->second + ")";
        // The same as before, where the row was merged before.
        return fmt::format("coalesce((select k.{} from {} k where k.{} operator(pg_catalog.=) r.{} limit 1), "
                           "({}))",
                           quote_identifier("n " + column.name), name("kept", i),
                           quote_identifier("o " + column.name), quote_identifier(column.name),
                           known_default->second);
    }
    if (!column.extra || known_default == now_[i].defaults.end()) return "null";
    return "(" + known_default->second + ")" +
           (column.type.starts_with("character") ? "" : "::" + column.type);
}

// The value of raw_N's row r for rows_N.
std::string RowSql::fitting(std::size_t i, std::size_t k) const {
    const MergeColumn& column = plan_.tables[i].columns[k];
    std::string value = typed(column, "r");
    if (!column.may_not_fit || preview() || needed(i, column)) return value;
    return fmt::format(
        "case when exists (select from {} x where x.n = r.{} and x.place = {}) then {} else {} end",
        name("bad", i), row, place_of(k), instead(i, column), value);
}

// A column at a time; row by row, with a subtransaction for each, only where its cast fails at all.
std::string RowSql::find_bad_rows(std::size_t i) const {
    std::string tests;
    const std::vector<MergeColumn>& columns = plan_.tables[i].columns;
    for (std::size_t k = 0; k < columns.size(); ++k) {
        const MergeColumn& column = columns[k];
        if (!column.may_not_fit) continue;
        const std::string named = "column " + one_line(column.name);
        const std::string value = words::column("w", column.name) + "::pg_catalog.text";
        const bool no_reason = excused(i, column);
        const auto reason_of = [&](const std::string& why) {
            return no_reason ? std::string("null::pg_catalog.text") : quote_literal(named + why);
        };
        const std::string none_of = reason_of(": its value is none of type " + one_line(column.type));
        const std::string& type = column.stand_in.empty() ? column.type : column.stand_in;
        tests += fmt::format("  {} := {};\n", place, needed(i, column) ? "0" : place_of(k));
        // A domain that takes no NULL.
        if (!needed(i, column) && type.find('.') != std::string::npos && instead(i, column) == "null")
            tests += fmt::format("  begin perform null::{}; exception when others then {} := 0; end;\n", type,
                                 place);
        tests += fmt::format(
            "  begin\n    insert into {0} select w.{1}, {8}, {2} from {3} w where {4} on conflict do "
            "nothing;\n"
            "  exception when others then\n    for one in select w.{1} as n, {5} as value from {3} w where "
            "{5} is not null loop\n      begin\n        odd := coalesce({6}, false);\n        what := {2};\n"
            "      exception when others then\n        odd := true;\n        what := {7};\n      end;\n"
            "      if odd then insert into {0} values (one.n, {8}, what) on conflict do nothing; end if;\n"
            "    end loop;\n  end;\n",
            name("bad", i), row, reason_of(": its value does not fit"), raw(i), test_of(column, value), value,
            test_of(column, "one.value"), none_of, place);
    }
    if (tests.empty()) return {};
    return "do " + pq::dollar_quote("declare one record; what text; odd bool; " + std::string(place) +
                                    " int4;\nbegin\n  delete from " + name("bad", i) + ";\n" + tests + "end");
}

// Rows to add that hold a value that is none.
Statements RowSql::reject_bad(std::size_t i) const {
    const std::vector<MergeColumn>& columns = plan_.tables[i].columns;
    if (std::none_of(columns.begin(), columns.end(),
                     [&](const MergeColumn& column) { return column.may_not_fit && !excused(i, column); }))
        return {};
    return {
        fmt::format("update {} s set {} = 'x', {} = x.reason from (select distinct on (n) n, reason from {} "
                    "where place > 0 and reason is not null order by n, place) x where s.{} = 'a' and s.{} "
                    "= x.n",
                    rows(i), state, reason, name("bad", i), state, row)};
}

// Numbers of rows of raw_N, with reasons: those set aside, and those whose row the source has, but a value of
// the target's own column is lost.
std::string RowSql::bad_rows(std::size_t i) const {
    std::string sql = fmt::format("select n, reason from {} where place = 0", name("bad", i));
    const std::vector<MergeColumn>& columns = plan_.tables[i].columns;
    Columns places;
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (columns[k].extra && columns[k].may_not_fit) places.push_back(place_of(k));
    if (places.empty() || plan_.tables[i].role != Role::preserved) return sql;
    return sql + fmt::format(
                     " union all (select distinct on (x.n) x.n, x.reason from {} x join {} s on s.{} = x.n "
                     "where x.place in ({}) and x.reason is not null and s.{} in ('s', 'd') and s.{} is not "
                     "null order by x.n, x.place)",
                     name("bad", i), rows(i), row, join(places, ", "), state, at);
}

} // namespace pgsluice::merge
