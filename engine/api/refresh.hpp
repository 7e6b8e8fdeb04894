// The engine's front door. Each story exists as a coroutine for programs that have an event loop and as a
// blocking function for those that have not; both throw pgsluice::Error. A call owns its threads and
// connections and leaves none behind. Observers are called from one thread at a time and not after the call
// has returned.
#pragma once
#include <string>
#include <vector>

#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/report.hpp"

namespace pgsluice {

using flow::Task;
using report::Observer;
using report::RefreshReport;

// Copies source over target (method swap). Cancelling the task stops the run within 5 seconds and cleans up.
Task<RefreshReport> refresh(RefreshOptions options, Observer& observer);
RefreshReport refresh_blocking(RefreshOptions options, Observer& observer);

} // namespace pgsluice
