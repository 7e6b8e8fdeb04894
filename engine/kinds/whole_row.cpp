#include "kinds/whole_row.hpp"

#include <algorithm>

namespace pgsluice::kinds {

namespace {

// Not the rest of another name, nor of OPERATOR(schema.*).
bool begins_operand(std::string_view before) {
    if (before.empty()) return true;
    return std::string_view("( ,").find(before.back()) != std::string_view::npos &&
           !before.ends_with("OPERATOR(");
}

} // namespace

RowReading replace_whole_row(std::string_view expression, std::string_view table, std::string_view row) {
    const std::string whole = std::string(table) + ".*";
    RowReading reading;
    for (std::size_t at = 0; at < expression.size();) {
        if (begins_operand(expression.substr(0, at)) && expression.substr(at).starts_with(whole)) {
            reading.text += row;
            reading.reads_row = true;
            at += whole.size();
            continue;
        }
        std::size_t end = at + 1; // a literal or a quoted name as a whole; doubled quotes are two of them
        if (expression[at] == '\'' || expression[at] == '"')
            end = std::min(expression.find(expression[at], at + 1), expression.size() - 1) + 1;
        reading.text += expression.substr(at, end - at);
        at = end;
    }
    return reading;
}

} // namespace pgsluice::kinds
