// The mark: says in the target itself that it may be overwritten, and from which source (rules.md section 7).
#pragma once
#include "api/options.hpp"
#include "flow/task.hpp"
#include "report/event.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice {

using report::MarkReport;

// Looks at the target and its present mark and writes nothing: what a person is shown before typing the name
// back.
flow::Task<MarkReport> inspect_target(AllowTargetOptions options, report::Observer& observer);
MarkReport inspect_target_blocking(AllowTargetOptions options, report::Observer& observer);

// Writes the mark. Throws Error{refused} unless `confirmed_name` is the target database's name.
flow::Task<MarkReport> allow_target(AllowTargetOptions options, report::Observer& observer);
MarkReport allow_target_blocking(AllowTargetOptions options, report::Observer& observer);

} // namespace pgsluice
