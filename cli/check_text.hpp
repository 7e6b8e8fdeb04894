// What `pgsluice check` prints.
#pragma once
#include <string>

#include "report/check_report.hpp"

namespace pgsluice::cli {

std::string check_text(const report::CheckReport& report);

} // namespace pgsluice::cli
