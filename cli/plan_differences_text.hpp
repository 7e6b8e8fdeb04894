// The part of the plan that says how the two databases differ.
#pragma once
#include <string>

#include "report/plan_report.hpp"

namespace pgsluice::cli {

void add_differences(std::string& text, const report::PlanReport& report, bool in_full);

} // namespace pgsluice::cli
