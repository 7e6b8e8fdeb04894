// The style of this repository as code: what a file may include, how long it may be, and the traps of
// gcc 12 that no compiler warns of. Pure, so that tests can plant faults.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::tidy {

// Sentences about one file, "engine/pq/x.cpp:12: ...". `path` is relative to the repository.
std::vector<std::string> complaints(const std::string& path, const std::string& text);

// The same length and lines, with comments and the insides of literals blanked.
std::string code_only(std::string_view text);

// Complaints about names in the top directory.
std::vector<std::string> top_level_complaints(const std::vector<std::string>& names);

} // namespace pgsluice::tidy
