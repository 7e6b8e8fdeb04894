// What every command that needs only the target begins with: a session in it, one beside it, and the run
// lock.
#pragma once
#include <optional>

#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

struct TargetSession {
    std::optional<pq::Connection> target;
    pq::Connection maintenance;
};

// Connects, takes the run lock and, where the command writes, checks mark and --allow-target.
Task<TargetSession> open_target_session(Context& context, bool writes);

} // namespace pgsluice::run
