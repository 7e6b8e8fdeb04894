// Exchanges the names of the target and its `_previous` database. Drops nothing and is its own inverse.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice {

using report::RollbackReport;

flow::Task<RollbackReport> rollback(RollbackOptions options, report::Observer& observer);
RollbackReport rollback_blocking(RollbackOptions options, report::Observer& observer);

} // namespace pgsluice
