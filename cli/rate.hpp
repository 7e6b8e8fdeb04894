// Bytes per second over the last seconds, and the time left.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace pgsluice::cli {

class Rate {
public:
    using Time = std::chrono::steady_clock::time_point;

    void sample(Time now, std::uint64_t bytes, double fraction);
    double bytes_per_second() const;
    // From the run's whole course since the first sample, as single tasks vary too much; nothing while that
    // is a guess.
    std::optional<std::chrono::seconds> left() const;

private:
    struct Sample {
        Time at;
        std::uint64_t bytes = 0;
        double fraction = 0;
    };
    std::optional<Sample> first_;
    std::deque<Sample> window_;
};

} // namespace pgsluice::cli
