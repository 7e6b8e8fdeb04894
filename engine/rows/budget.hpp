// The run's bytes for rows in flight (rules.md section 11), shared by the pipes of all lanes. Thread-safe.
#pragma once
#include <atomic>
#include <cstddef>

namespace pgsluice::rows {

// Each pipe owns limits::pipe_bytes_guaranteed whatever the others hold; what it holds beyond comes from
// here. A pipe that gets nothing waits for its own consumer, so no pipe ever waits for another and no wake
// crosses loops.
class Budget {
public:
    // `total` is --memory; the lanes' guaranteed bytes are taken off at once.
    // Throws Error{usage} when total < lanes * limits::memory_bytes_min_per_lane.
    Budget(std::size_t total, int lanes);
    bool try_take(std::size_t bytes);
    void give_back(std::size_t bytes);
    std::size_t shared_left() const { return left_.load(std::memory_order_relaxed); }
    std::size_t shared_total() const { return total_; }
    // More than half is taken: the pipes start to compress.
    bool scarce() const { return shared_left() < total_ / 2 || total_ == 0; }

private:
    const std::size_t total_;
    std::atomic<std::size_t> left_;
};

} // namespace pgsluice::rows
