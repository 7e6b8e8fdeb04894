// Who and where both sides are, and each right that refresh needs now or at the swap. Writes nothing and
// needs no mark.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/check_report.hpp"
#include "report/event.hpp"

namespace pgsluice {

using report::CheckReport;

// A missing right is an item of the report, not an error; a side that cannot be reached is an error.
flow::Task<CheckReport> check(RefreshOptions options, report::Observer& observer);
CheckReport check_blocking(RefreshOptions options, report::Observer& observer);

} // namespace pgsluice
