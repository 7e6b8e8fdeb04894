// How many processors this process may use.
#pragma once
#include <string>

namespace pgsluice {

// The smaller of the affinity mask and the cgroup's CPU quota (v1 or v2), at least 1.
int usable_cores();

// The quota alone, rounded up, of the control group whose files are in that folder; 0: none.
int quota_cores(const std::string& cgroup);

} // namespace pgsluice
