// What `pgsluice plan` prints: for a person who has five minutes before the refresh starts. Counts first,
// names after; the last line is the command to run.
#pragma once
#include <string>
#include <vector>

#include "report/plan_report.hpp"

namespace pgsluice::cli {

// `refresh_words`: the options of the refresh as given to plan. Long lists of what is harmless and long
// definitions are cut unless `in_full`; what is lost or refused is always named in full.
std::string plan_text(const report::PlanReport& report, const std::vector<std::string>& refresh_words,
                      bool in_full);

// "pgsluice refresh --source service=prod ...", quoted for a shell.
std::string refresh_command_line(const report::PlanReport& report,
                                 const std::vector<std::string>& refresh_words);

} // namespace pgsluice::cli
