// One line per story of the engine: `api.refresh = pgsluice::refresh_blocking;`. A command whose story is not
// here does not exist.
#include "api.hpp"

#include "api/allow_target.hpp"
#include "api/check.hpp"
#include "api/cleanup.hpp"
#include "api/history.hpp"
#include "api/pending.hpp"
#include "api/plan.hpp"
#include "api/refresh.hpp"
#include "api/rollback.hpp"
#include "api/swap.hpp"
#include "api/verify.hpp"

namespace pgsluice::cli {

Api engine_api() {
    Api api;
    api.refresh = refresh_blocking;
    api.swap = swap_waiting_blocking;
    api.plan = plan_refresh_blocking;
    api.check = check_blocking;
    api.verify = verify_blocking;
    api.rollback = rollback_blocking;
    api.cleanup = cleanup_blocking;
    api.history = history_blocking;
    api.pending = pending_blocking;
    api.inspect_target = inspect_target_blocking;
    api.allow_target = allow_target_blocking;
    return api;
}

} // namespace pgsluice::cli
