// The text of single events and errors: one line each, whatever a name holds.
#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"
#include "rate.hpp"
#include "report/totals.hpp"

namespace pgsluice::cli {

// Empty for events that have no line of their own (BytesMoved, RunFinished; TaskStarted unless `verbose`). A
// remark may have a second line with its hint and, when `verbose`, its SQL.
std::vector<std::string> event_lines(const report::Event& event, bool verbose);

// "progress 43%, 1.2 GiB, 85 MiB/s, about 1 min 20 s left; copy public.a, index public.b"
std::string progress_line(const report::Totals& totals, const Rate& rate);

// "30 s", "2 min 5 s": for times that are shown while they run.
std::string whole_seconds(std::chrono::steady_clock::duration length);

// "error: ...", "  object: ...", "  detail: ...", "  HINT: ..."
std::vector<std::string> error_lines(const Error& error);

} // namespace pgsluice::cli
