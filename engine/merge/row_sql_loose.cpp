// References of which only one side has the parent: their values are kept where the source has such a row.
#include "merge/row_sql_parts.hpp"

namespace pgsluice::merge {

using namespace words;

// The columns become NULL where they can, else the row is rejected.
std::string RowSql::set_nowhere(std::size_t i, const LooseReference& loose, const std::string& why,
                                const std::string& where) const {
    const std::string reason_text = quote_literal("reference " + in_words(loose.columns) + ": " + why + " " +
                                                  one_line(loose.parent.schema + "." + loose.parent.name));
    Columns present;
    for (const std::string& name : loose.columns) present.push_back(column("s", name) + " is not null");
    const std::string which = all(present) + " and " + where;
    if (loose.null_columns.empty())
        return fmt::format("update {} s set {} = 'x', {} = {} where {}", rows(i), state, reason, reason_text,
                           which);
    Columns nulls;
    for (const std::string& name : loose.null_columns) nulls.push_back(quote_identifier(name) + " = null");
    return fmt::format("update {} s set {}, {} = {} + 1, {} = {} where {}", rows(i), join(nulls, ", "),
                       nulled, nulled, reason, reason_text, which);
}

// Before anything is looked for: the values are keys of a table that is not there any more.
Statements RowSql::lead_nowhere(std::size_t i) const {
    Statements statements;
    for (const LooseReference& loose : plan_.tables[i].loose_references)
        if (loose.parent_columns.empty())
            statements.push_back(
                set_nowhere(i, loose, "the source has no", fmt::format("s.{} = 'u'", state)));
    return statements;
}

// A preview has no such table to look into; the plan has a note.
Statements RowSql::check_loose(std::size_t i) const {
    Statements statements;
    if (preview()) return statements;
    for (const LooseReference& loose : plan_.tables[i].loose_references) {
        if (loose.parent_columns.empty()) continue;
        const std::string cast = loose.by_text ? "::pg_catalog.text" : "";
        Columns same;
        for (std::size_t k = 0; k < loose.columns.size(); ++k)
            same.push_back(fmt::format("array[p.{}{}] operator(pg_catalog.=) array[{}{}]",
                                       quote_identifier(loose.parent_columns[k]), cast,
                                       column("s", loose.columns[k]), cast));
        statements.push_back(
            set_nowhere(i, loose, "the source has no such row of",
                        fmt::format("s.{} = 'a' and not exists (select from {} p where {})", state,
                                    pq::quote_qualified(loose.parent.schema, loose.parent.name), all(same))));
    }
    return statements;
}

} // namespace pgsluice::merge
