// Defaults stand inside CREATE TABLE unless a loop's repair took them out, or CREATE TABLE does not name
// their column.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

// The expression of the column's default, if it goes inside CREATE TABLE.
std::optional<std::string> inline_default(const model::Object& table, const std::string& column,
                                          const Context& context);

} // namespace pgsluice::kinds
