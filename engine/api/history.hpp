// The runs that table pgsluice.run of the target records, newest first. Writes nothing; a target without the
// table has none.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice {

using report::HistoryReport;

flow::Task<HistoryReport> history(HistoryOptions options, report::Observer& observer);
HistoryReport history_blocking(HistoryOptions options, report::Observer& observer);

} // namespace pgsluice
