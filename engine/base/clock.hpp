// Wall-clock times as text.
#pragma once
#include <chrono>
#include <string>

namespace pgsluice {

using WallTime = std::chrono::system_clock::time_point;
std::string format_rfc3339(WallTime t); // "2026-11-23T08:00:00.123Z"

} // namespace pgsluice
