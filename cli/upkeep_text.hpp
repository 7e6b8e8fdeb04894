// What rollback, cleanup, history, pending and allow-target print.
#pragma once
#include <string>

#include "report/upkeep_report.hpp"

namespace pgsluice::cli {

std::string rollback_text(const report::RollbackReport& report);
std::string cleanup_text(const report::CleanupReport& report);
std::string pending_text(const report::PendingReport& report);
std::string history_text(const report::HistoryReport& report);
std::string mark_question(const report::MarkReport& found); // what is asked before the mark is written
std::string mark_text(const report::MarkReport& marked);

} // namespace pgsluice::cli
