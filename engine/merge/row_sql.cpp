// Staging and the keys of the source's rows.
#include "merge/row_sql.hpp"

#include "base/error.hpp"
#include "merge/row_sql_parts.hpp"
#include "merge/row_types.hpp"

namespace pgsluice::merge {

using namespace words;

RowSql::RowSql(const RowPlan& plan, std::vector<TableNow> now, std::string run_id, MergePlace place)
    : plan_(plan), now_(std::move(now)), run_id_(std::move(run_id)), place_(place) {}

std::size_t RowSql::index_of(const TableName& table) const {
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (plan_.tables[i].name == table) return i;
    throw Error{ErrorKind::internal, "a table that is not merged"}.object(one_line(table.name));
}

bool RowSql::staged(std::size_t i) const { return plan_.tables[i].role != Role::extra; }

std::string RowSql::name(const char* prefix, std::size_t i) const {
    return ours(prefix) + "_" + std::to_string(i);
}

std::string RowSql::ours(const char* table) const {
    return (preview() ? "pg_temp.pgsluice_" : "pgsluice.") + std::string(table);
}

std::string RowSql::real(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    const std::string name = pq::quote_qualified(table.name.schema, table.name.name);
    return table.partitioned ? name : "only " + name;
}

std::string RowSql::base(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    if (preview() && table.role != Role::extra) return source_rows(i);
    if (table.role == Role::referenced) return real(i);
    if (table.role == Role::extra)
        return fmt::format(
            "(select b.* from {} b where not exists (select from {} z where z.{} = b.tableoid and "
            "z.{} = b.ctid and z.{} <> 'k'){})",
            real(i), rows(i), in, at, state, not_settled(i));
    Columns same;
    for (const std::string& column : table.row_key)
        same.push_back(fmt::format("array[k.{}] operator(pg_catalog.=) array[b.{}]",
                                   quote_identifier("n " + column), quote_identifier(column)));
    if (table.row_key.empty())
        same = {"k.at operator(pg_catalog.=) b.ctid", "k.in_table operator(pg_catalog.=) b.tableoid"};
    return fmt::format(
        "(select b.tableoid, b.ctid, b.* from {} b where not exists (select from {} k where {}))", real(i),
        name("kept", i), all(same));
}

std::vector<std::string> RowSql::traced(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Columns wanted = parent_columns(i);
    wanted.insert(wanted.end(), table.row_key.begin(), table.row_key.end());
    for (const Reference& reference : plan_.references)
        if (reference.child == table.name)
            wanted.insert(wanted.end(), reference.child_columns.begin(), reference.child_columns.end());
    for (const MergeColumn& column : table.columns)
        if (column.from_sequence) wanted.push_back(column.name);
    Columns ordered;
    for (const MergeColumn& column : table.columns)
        if (holds(wanted, column.name)) ordered.push_back(column.name);
    return ordered;
}

std::vector<std::string> RowSql::parent_columns(std::size_t i) const {
    Columns columns;
    for (const Reference& reference : plan_.references) {
        if (reference.parent != plan_.tables[i].name) continue;
        for (const std::string& column : reference.parent_columns)
            if (!holds(columns, column)) columns.push_back(column);
    }
    return columns;
}

std::vector<std::size_t> RowSql::references_of(std::size_t i) const {
    std::vector<std::size_t> found;
    for (std::size_t r = 0; r < plan_.references.size(); ++r)
        if (plan_.references[r].child == plan_.tables[i].name && staged(index_of(plan_.references[r].parent)))
            found.push_back(r);
    return found;
}

std::string RowSql::old_column(std::size_t i, const std::string& column) const {
    const std::vector<MergeColumn>& columns = plan_.tables[i].columns;
    for (std::size_t k = 0; k < columns.size(); ++k)
        if (columns[k].name == column) return fmt::format("\"pgsluice o{}\"", k);
    throw Error{ErrorKind::internal, "a column that is not merged"}.object(one_line(column));
}

std::string RowSql::old_type(std::size_t i, const std::string& column) const {
    const MergeColumn& of = *plan_.tables[i].column(column);
    if (preview()) return of.there.empty() ? of.type : of.there;
    return of.apart ? "text" : of.type;
}

std::vector<std::string> RowSql::inserted(std::size_t i) const {
    Columns columns;
    for (const MergeColumn& column : plan_.tables[i].columns) columns.push_back(column.name);
    if (preview()) return columns; // the target lacks the others
    for (const std::string& column : plan_.tables[i].missing_columns) columns.push_back(column);
    return columns;
}

Statements RowSql::drop(std::size_t i) const {
    Statements statements;
    for (const char* prefix : {"raw", "bad", "rows", "was", "kept", "gone", "source"})
        statements.push_back("drop table if exists " + name(prefix, i));
    return statements;
}

Statements RowSql::create(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Columns raw, typed;
    for (const MergeColumn& column : table.columns)
        raw.push_back(column.may_not_fit && !preview()
                          ? "''::pg_catalog.text as " + quote_identifier(column.name)
                          : words::column("b", column.name));
    for (const std::string& column : inserted(i)) typed.push_back(words::column("b", column));
    for (const auto& [column, expression] : now_[i].generated) typed.push_back(words::column("b", column));
    for (const std::string& column : traced(i))
        typed.push_back(
            (table.column(column)->apart && !preview() ? "''::pg_catalog.text" : words::column("b", column)) +
            " as " + old_column(i, column));
    std::string ours = fmt::format(
        "{} int8, {} text default 'u', {} oid, {} tid, {} int8, {} bool default false, {} bool default "
        "false, "
        "{} bool default false, {} bool default false, {} bool default false, {} bool default false, {} int4 "
        "default 0, {} bool default false, {} text",
        row, state, in, at, twin, tried, unlike, keyed, synced, known, moved, nulled, new_key, reason);
    for (const std::size_t r : references_of(i))
        ours += fmt::format(", {} int8, {} bool default false", link(r), link_done(r));
    Statements statements = drop(i);
    statements.push_back(fmt::format("{} {} as select {} from {} b with no data", create_table(),
                                     this->raw(i), join(raw, ", "), real(i)));
    statements.push_back(
        fmt::format("alter table {} add column {} int8 generated by default as identity", this->raw(i), row));
    statements.push_back(fmt::format("{} {} (n int8, place int4, reason text, primary key (n, place))",
                                     create_table(), name("bad", i)));
    statements.push_back(fmt::format("{} {} (key_columns text[], natural_columns text[], "
                                     "primary_key text[], natural_key text[])",
                                     create_table(), was(i)));
    statements.push_back(fmt::format("{} {} as select {} from {} b with no data", create_table(), rows(i),
                                     join(typed, ", "), real(i)));
    // One column per clause.
    std::string clauses;
    for (std::size_t from = 0; from < ours.size();) {
        const std::size_t end = std::min(ours.find(", ", from), ours.size());
        clauses += (clauses.empty() ? "add column " : ", add column ") + ours.substr(from, end - from);
        from = end + 2;
    }
    statements.push_back(fmt::format("alter table {} {}", rows(i), clauses));
    if (preview() && staged(i))
        statements.push_back(fmt::format("{} {} as select {} from {} b with no data", create_table(),
                                         source_rows(i), listed("b", source_columns(i)), real(i)));
    if (table.role != Role::referenced) {
        Columns keys;
        for (const std::string& column : table.row_key) {
            keys.push_back((table.column(column)->apart && !preview() ? "''::pg_catalog.text"
                                                                      : words::column("b", column)) +
                           " as " + quote_identifier("o " + column));
            keys.push_back(words::column("b", column) + " as " + quote_identifier("n " + column));
        }
        keys.push_back("b.tableoid as in_table");
        keys.push_back("b.ctid as at");
        statements.push_back(fmt::format("{} {} as select {} from {} b with no data", create_table(),
                                         name("kept", i), join(keys, ", "), real(i)));
    }
    return statements;
}

std::string RowSql::copy_in(std::size_t i) const {
    Columns columns;
    for (const MergeColumn& column : plan_.tables[i].columns)
        columns.push_back(quote_identifier(column.name));
    return "copy " + raw(i) + " (" + join(columns, ", ") + ") from stdin";
}

namespace {

// Both are on the target.
std::string same_on_target(const MergeColumn& child, const MergeColumn& parent) {
    const auto type = [](const MergeColumn& column) {
        return column.there.empty() ? column.type : column.there;
    };
    const auto [a, b] =
        comparable(column("c", child.name), type(child), column("t", parent.name), type(parent));
    return fmt::format("array[{}] operator(pg_catalog.=) array[{}]", a, b);
}

} // namespace

std::string RowSql::copy_out(std::size_t i) const {
    const MergeTable& table = plan_.tables[i];
    Columns columns;
    for (const MergeColumn& column : table.columns) columns.push_back(words::column("t", column.name));
    std::string sql = fmt::format("select {} from {} t", join(columns, ", "), real(i));
    if (table.role == Role::referenced) {
        Columns wanted;
        for (const Reference& reference : plan_.references) {
            if (reference.parent != table.name) continue;
            Columns same;
            for (std::size_t k = 0; k < reference.child_columns.size(); ++k)
                same.push_back(
                    same_on_target(*plan_.table(reference.child)->column(reference.child_columns[k]),
                                   *table.column(reference.parent_columns[k])));
            wanted.push_back(fmt::format("exists (select from {} c where {})",
                                         real(index_of(reference.child)), all(same)));
        }
        sql += " where " + (wanted.empty() ? "false" : join(wanted, " or "));
    }
    if (!table.row_key.empty()) sql += " order by " + listed("t", table.row_key);
    return "copy (" + sql + ") to stdout";
}

// Which row of the target each reference led to there; -1: none.
Statements RowSql::links() const {
    Statements statements;
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (!staged(i)) continue;
        for (const std::size_t r : references_of(i)) {
            const Reference& reference = plan_.references[r];
            const std::size_t j = index_of(reference.parent);
            Columns present;
            for (const std::string& column : reference.child_columns)
                present.push_back("c." + old_column(i, column) + " is not null");
            statements.push_back(fmt::format("update {} c set {} = case when {} then -1 end, {} = not ({})",
                                             rows(i), link(r), all(present), link_done(r), all(present)));
            statements.push_back(fmt::format("update {} c set {} = p.{} from {} p where {}", rows(i), link(r),
                                             row, rows(j), linked(r, "c", "p", true)));
        }
        const Statements nowhere = lead_nowhere(i);
        statements.insert(statements.end(), nowhere.begin(), nowhere.end());
        statements.push_back("analyze " + rows(i));
    }
    return statements;
}

// The child's value is the key that the parent's row had on the target.
std::string RowSql::linked(std::size_t r, const std::string& child, const std::string& parent,
                           bool old_child) const {
    const Reference& reference = plan_.references[r];
    const std::size_t i = index_of(reference.child), j = index_of(reference.parent);
    Columns same;
    for (std::size_t k = 0; k < reference.child_columns.size(); ++k) {
        const std::string& name = reference.child_columns[k];
        const std::string& of_parent = reference.parent_columns[k];
        // Of an extra, the only child that is asked as it is, the value is of the same type as before.
        const auto [a, b] =
            comparable(child + "." + (old_child ? old_column(i, name) : quote_identifier(name)),
                       old_type(i, name), parent + "." + old_column(j, of_parent), old_type(j, of_parent));
        same.push_back(fmt::format("array[{}] operator(pg_catalog.=) array[{}]", a, b));
    }
    return all(same);
}

std::string RowSql::equal(std::size_t i, const std::string& a, const std::string& b,
                          const std::vector<std::string>& columns) const {
    Columns same;
    for (const std::string& name : columns) {
        const bool text = now_[i].no_equality.contains(name);
        const std::string cast = text ? "::pg_catalog.text" : "";
        same.push_back(fmt::format("array[{}{}] operator(pg_catalog.=) array[{}{}]", column(a, name), cast,
                                   column(b, name), cast));
    }
    return all(same);
}

} // namespace pgsluice::merge
