// Compares source and target as they are now, each side in a snapshot of its own.
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/verify_report.hpp"

namespace pgsluice {

using report::VerifyReport;

flow::Task<VerifyReport> verify(VerifyOptions options, report::Observer& observer);
VerifyReport verify_blocking(VerifyOptions options, report::Observer& observer);

} // namespace pgsluice
