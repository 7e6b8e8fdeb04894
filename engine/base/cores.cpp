#include "base/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace pgsluice {

// A container's CPU limit is a quota of time per period, not a mask: nproc does not show it.
int quota_cores(const std::string& cgroup) {
    if (std::ifstream v2(cgroup + "/cpu.max"); v2) {
        std::string quota;
        double period = 0;
        if (v2 >> quota >> period && quota != "max" && period > 0)
            return static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period));
        return 0;
    }
    std::ifstream quota_file(cgroup + "/cpu/cpu.cfs_quota_us");
    std::ifstream period_file(cgroup + "/cpu/cpu.cfs_period_us");
    double quota = 0;
    double period = 0;
    if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
        return static_cast<int>(std::ceil(quota / period));
    return 0;
}

int usable_cores() {
    int cores = 1;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) cores = CPU_COUNT(&mask);
    const int quota = quota_cores("/sys/fs/cgroup");
    if (quota > 0) cores = std::min(cores, quota);
    return std::max(cores, 1);
}

} // namespace pgsluice
