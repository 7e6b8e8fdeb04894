// The command swap: merges what is the target's own into the database that refresh without swap left waiting,
// which somebody may have migrated meanwhile, and swaps it in. Needs no source (rules.md section 2).
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/report.hpp"

namespace pgsluice {

flow::Task<report::RefreshReport> swap_waiting(SwapOptions options, report::Observer& observer);
report::RefreshReport swap_waiting_blocking(SwapOptions options, report::Observer& observer);

} // namespace pgsluice
