// How many processors this process may use.
#pragma once

namespace pgsluice {

// The smaller of the affinity mask and the cgroup's CPU quota (v1 or v2), at least 1.
int usable_cores();

} // namespace pgsluice
