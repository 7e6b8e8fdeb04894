// Expressions that read the whole row of their table, which the server prints as `f(t.*)`. Where the rows are
// kept in another table, there is no such `t`. Pure, thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace pgsluice::kinds {

// An expression as the server prints it (pg_get_expr), with `row` where it reads the whole row of the table;
// `table` is its name as the server prints it (quote_ident).
struct RowReading {
    std::string text;
    bool reads_row = false;
};
RowReading replace_whole_row(std::string_view expression, std::string_view table, std::string_view row);

} // namespace pgsluice::kinds
