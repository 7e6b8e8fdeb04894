#include "run/target_session.hpp"

#include <utility>

#include "run/guard.hpp"
#include "run/run_lock.hpp"

namespace pgsluice::run {

Task<TargetSession> open_target_session(Context& context, bool writes) {
    pq::Connection target = co_await open_target(context, context.target_database());
    pq::Connection maintenance = co_await open_maintenance(context);
    if (writes) {
        co_await take_run_lock(maintenance, context.target_database());
        co_await guard_mark(context, target);
    }
    TargetSession session{std::move(target), std::move(maintenance)};
    co_return session;
}

} // namespace pgsluice::run
