// What of the target could not come along in the runs so far, with its SQL, and counts of rows that could not
// be merged. Writes nothing; a target without schema pgsluice has none.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice {

using report::PendingReport;

flow::Task<PendingReport> pending(PendingOptions options, report::Observer& observer);
PendingReport pending_blocking(PendingOptions options, report::Observer& observer);

} // namespace pgsluice
