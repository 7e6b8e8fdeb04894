// Drops the target's `_previous` database and the leftovers of runs that did not end; nothing that is not
// provably ours.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice {

using report::CleanupReport;

flow::Task<CleanupReport> cleanup(CleanupOptions options, report::Observer& observer);
CleanupReport cleanup_blocking(CleanupOptions options, report::Observer& observer);

} // namespace pgsluice
