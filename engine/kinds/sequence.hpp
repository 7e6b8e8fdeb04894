// What tables need of sequences.
#pragma once
#include <string>

#include "model/database.hpp"

namespace pgsluice::kinds {

// ` GENERATED ALWAYS AS IDENTITY (...)` for the column, or nothing: for a column that is added as a whole.
std::string identity_clause(const model::Object& table, const std::string& column,
                            const model::Database& database);

} // namespace pgsluice::kinds
