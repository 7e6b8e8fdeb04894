// What belongs to a database and does not follow a rename (rules.md section 4): ACL, comment, connection
// limit, ALTER DATABASE and ALTER ROLE IN DATABASE settings. The new database gets the target's before the
// swap.
#pragma once
#include <string>

#include "model/database.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// What our role may not set becomes a remark with its SQL.
Task<void> copy_properties(pq::Connection& maintenance, Context& context,
                           const model::DatabaseProperties& target, std::string name);

} // namespace pgsluice::run
