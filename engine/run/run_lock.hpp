// One run per target (rules.md section 5): an advisory lock with a key from the target's name, held by a
// session in another database from start to end. After taking its own a run looks for the same key held by
// anybody else on the server (pg_locks shows every database's) and stops: two runs may use different
// maintenance databases.
#pragma once
#include <cstdint>
#include <string>

#include "pq/connection.hpp"

namespace pgsluice::run {

std::int64_t run_lock_key(std::string_view target_database);
// Throws Error{refused} that names the other run's session. The lock lives as long as `session`.
flow::Task<void> take_run_lock(pq::Connection& session, std::string target_database);

} // namespace pgsluice::run
