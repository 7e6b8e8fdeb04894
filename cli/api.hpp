// The engine's stories as the program sees them. A story that is not there is no command: tests put their own
// in. Only values here; commands.cpp alone includes the headers that know coroutines.
#pragma once
#include <functional>

#include "api/options.hpp"
#include "report/check_report.hpp"
#include "report/event.hpp"
#include "report/plan_report.hpp"
#include "report/report.hpp"
#include "report/upkeep_report.hpp"
#include "report/verify_report.hpp"

namespace pgsluice::cli {

using report::CheckReport;
using report::CleanupReport;
using report::HistoryReport;
using report::MarkReport;
using report::Observer;
using report::PendingReport;
using report::PlanReport;
using report::RefreshReport;
using report::RollbackReport;
using report::VerifyReport;

struct Api {
    std::function<RefreshReport(RefreshOptions, Observer&)> refresh;
    std::function<RefreshReport(SwapOptions, Observer&)> swap;
    std::function<PlanReport(RefreshOptions, Observer&)> plan;
    std::function<CheckReport(RefreshOptions, Observer&)> check;
    std::function<VerifyReport(VerifyOptions, Observer&)> verify;
    std::function<RollbackReport(RollbackOptions, Observer&)> rollback;
    std::function<CleanupReport(CleanupOptions, Observer&)> cleanup;
    std::function<HistoryReport(HistoryOptions, Observer&)> history;
    std::function<PendingReport(PendingOptions, Observer&)> pending;
    std::function<MarkReport(AllowTargetOptions, Observer&)> inspect_target;
    std::function<MarkReport(AllowTargetOptions, Observer&)> allow_target;
};

// The stories of this build (commands.cpp).
Api engine_api();

} // namespace pgsluice::cli
