// Types by their names as the server prints them: what can be compared, and what can hold what.
#pragma once
#include <string>
#include <utility>

namespace pgsluice::merge {

// Types of the server's own of two kinds (bigint and uuid, integer and text): a value of one may be none of
// the other, whatever cast there is. Of the user's types nobody knows.
bool apart(const std::string& a, const std::string& b);

// Whether a column of type `child` can take every value of type `parent`.
bool can_hold(const std::string& child, const std::string& parent);

// Two SQL expressions and their types: the same cast to what compares without a failure, and without cutting
// or rounding one of them.
std::pair<std::string, std::string> comparable(std::string a, const std::string& a_type, std::string b,
                                               const std::string& b_type);

// That the two are not equal; NULL where one is.
std::string differ(const std::string& a, const std::string& a_type, const std::string& b,
                   const std::string& b_type);

} // namespace pgsluice::merge
