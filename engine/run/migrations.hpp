// Migration histories of both sides (rules.md section 2): Flyway's table, in whichever schema it stands, and
// those that
// --migrations names. Compared by version and checksum, never by count.
#pragma once
#include <vector>

#include "merge/merge.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// Tables that both sides or one have; a side without the table counts as empty.
Task<std::vector<merge::MigrationDifference>> compare_migrations(Context& context, pq::Connection& source,
                                                                 pq::Connection& target,
                                                                 const model::Database& source_database,
                                                                 const model::Database& target_database);

} // namespace pgsluice::run
