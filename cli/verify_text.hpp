// What `pgsluice verify` prints.
#pragma once
#include <string>

#include "report/verify_report.hpp"

namespace pgsluice::cli {

// Tables that are the same are only counted unless `in_full`.
std::string verify_text(const report::VerifyReport& report, bool in_full);

} // namespace pgsluice::cli
