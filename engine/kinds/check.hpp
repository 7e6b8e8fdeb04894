// Checks stand inside CREATE TABLE and CREATE DOMAIN unless a loop's repair took them out or they are NOT
// VALID.
#pragma once
#include <string>
#include <vector>

#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

// `CONSTRAINT "c" CHECK ((VALUE > 0))` for each check of this table or domain that goes inside its CREATE.
std::vector<std::string> inline_checks(const model::Object& table_or_domain, const Context& context);

} // namespace pgsluice::kinds
