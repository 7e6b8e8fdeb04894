// Words that the files of row_sql share.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "merge/row_sql.hpp"
#include "pq/quote.hpp"

namespace pgsluice::merge::words {

using Columns = std::vector<std::string>;
using Role = MergeTable::Role;
using pq::quote_identifier;
using pq::quote_literal;

// Alias of a row that is named as a whole: a column of its table would win over a plain letter.
constexpr const char* whole = "\"pgsluice whole\"";
constexpr const char* row = "\"pgsluice row\"";
constexpr const char* state = "\"pgsluice state\"";
constexpr const char* in = "\"pgsluice in\""; // tableoid and ctid of the row of the base that it is
constexpr const char* at = "\"pgsluice at\"";
constexpr const char* twin = "\"pgsluice twin\"";
constexpr const char* tried = "\"pgsluice tried\"";   // its natural keys have been looked for
constexpr const char* unlike = "\"pgsluice unlike\""; // no row of the base is equal but for the key
constexpr const char* keyed = "\"pgsluice keyed\"";   // has the key that it will have
constexpr const char* synced = "\"pgsluice synced\""; // holds the referenced columns of the row that it is
constexpr const char* known = "\"pgsluice known\"";   // the last run recorded it as the source's
constexpr const char* moved = "\"pgsluice moved\"";
constexpr const char* nulled = "\"pgsluice nulled\"";
constexpr const char* new_key = "\"pgsluice new key\"";
constexpr const char* reason = "\"pgsluice reason\"";

inline std::string link(std::size_t r) { return fmt::format("\"pgsluice l{}\"", r); }
inline std::string link_done(std::size_t r) { return fmt::format("\"pgsluice d{}\"", r); }

inline std::string column(const std::string& alias, const std::string& name) {
    return alias.empty() ? quote_identifier(name) : alias + "." + quote_identifier(name);
}
inline std::string listed(const std::string& alias, const Columns& names) {
    Columns parts;
    for (const std::string& name : names) parts.push_back(column(alias, name));
    return join(parts, ", ");
}
inline bool holds(const Columns& columns, const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
}
inline bool meet(const Columns& a, const Columns& b) {
    return std::any_of(a.begin(), a.end(), [&](const std::string& name) { return holds(b, name); });
}
// "(a, b)": names in a reason, never values.
inline std::string in_words(const Columns& columns) { return "(" + one_line(join(columns, ", ")) + ")"; }
inline std::string all(const Columns& conditions, const char* none = "true") {
    return conditions.empty() ? none : join(conditions, " and ");
}

} // namespace pgsluice::merge::words
