// Samples of a micro benchmark: median and min-max, and the CPU clocks of this and other processes.
#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace pgsluice::bench {

inline double wall_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// User and system seconds of this process, all threads.
inline double own_cpu_now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The same of another process of this machine, from /proc; a hundredth of a second is its grain. 0 when it is
// not there.
inline double cpu_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string all;
    std::getline(file, all);
    const std::size_t name_ends = all.rfind(')');
    if (name_ends == std::string::npos) return 0;
    std::istringstream fields(all.substr(name_ends + 2));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped; // utime is the 14th field, the name the second
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Samples {
    std::vector<double> values;

    void add(double value) { values.push_back(value); }
    double median() const {
        std::vector<double> sorted = values;
        std::sort(sorted.begin(), sorted.end());
        const std::size_t half = sorted.size() / 2;
        if (sorted.empty()) return 0;
        return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
    // "1.23 (1.20-1.31)"
    std::string text() const {
        if (values.empty()) return "-";
        const auto [least, most] = std::minmax_element(values.begin(), values.end());
        return fmt::format("{:.2f} ({:.2f}-{:.2f})", median(), *least, *most);
    }
};

} // namespace pgsluice::bench
