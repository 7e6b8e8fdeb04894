// What refresh would do. Changes nothing and locks no table.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/plan_report.hpp"

namespace pgsluice {

using report::PlanReport;

// What refresh would refuse with is in `refusals`, not an error; a side that cannot be read is an error.
flow::Task<PlanReport> plan_refresh(RefreshOptions options, report::Observer& observer);
PlanReport plan_refresh_blocking(RefreshOptions options, report::Observer& observer);

} // namespace pgsluice
