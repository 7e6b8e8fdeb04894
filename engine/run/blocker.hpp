// After a lock timeout: who is in the way.
#pragma once
#include <exception>
#include <string>

#include "flow/task.hpp"
#include "plan/task.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

// Throws Error{refused} that names a session whose lock on a user's table of this database conflicts with
// `wanted`; where none can be seen any more, `failure`. `tables` is a condition on pg_class c and
// pg_namespace n that tells which tables count; empty: all. The timeout has let go of our wait, so the holder
// is all that can be seen.
flow::Task<void> name_blocker(pq::Connection& session, std::string side, plan::LockMode wanted,
                              std::string tables, std::exception_ptr failure);

} // namespace pgsluice::run
