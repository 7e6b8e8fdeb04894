#include "rows/budget.hpp"

#include <cassert>
#include <string>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/size.hpp"

namespace pgsluice::rows {
namespace {

std::size_t shared_part(std::size_t total, int lanes) {
    static_assert(limits::memory_bytes_min_per_lane >= limits::pipe_bytes_guaranteed);
    const auto count = static_cast<std::size_t>(lanes < 1 ? 1 : lanes);
    const std::size_t least = count * limits::memory_bytes_min_per_lane;
    if (total < least) {
        throw Error{ErrorKind::usage, "--memory " + format_size(total) + " is too small for " +
                                          std::to_string(count) + " lanes"}
            .hint("give --memory at least " + format_size(least) + ", or fewer --jobs");
    }
    return total - count * limits::pipe_bytes_guaranteed;
}

} // namespace

Budget::Budget(std::size_t total, int lanes) : total_(shared_part(total, lanes)), left_(total_) {}

// The counter carries no data of its own, so relaxed order is enough.
bool Budget::try_take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    while (left >= bytes) {
        if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return true;
    }
    return false;
}

void Budget::give_back(std::size_t bytes) {
    [[maybe_unused]] const std::size_t before = left_.fetch_add(bytes, std::memory_order_relaxed);
    assert(before + bytes <= total_);
}

} // namespace pgsluice::rows
