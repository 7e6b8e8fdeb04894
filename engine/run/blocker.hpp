// After a lock timeout: who is in the way.
#pragma once
#include <exception>
#include <string>

#include "flow/task.hpp"
#include "plan/task.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

// Throws Error{refused} that names the sessions whose locks on user's tables of this database conflict with
// `wanted`; where none can be seen any more, `failure`. `tables` is a condition on pg_class c and
// pg_namespace n that tells which tables count; empty: all. The timeout has let go of our wait, so the
// holders are all that can be seen.
flow::Task<void> name_blockers(pq::Connection& session, std::string side, plan::LockMode wanted,
                               std::string tables, std::exception_ptr failure);

} // namespace pgsluice::run
