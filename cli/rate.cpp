#include "rate.hpp"

#include <cmath>

namespace pgsluice::cli {

using namespace std::chrono_literals;

namespace {
constexpr auto window = 10s;
constexpr auto sample_every = 200ms;
constexpr auto guess_until = 3s; // of course seen before an estimate is shown
constexpr double fraction_min = 0.01;
} // namespace

void Rate::sample(Time now, std::uint64_t bytes, double fraction) {
    const Sample sample{now, bytes, fraction};
    if (!first_) first_ = sample;
    // The last one moves until it is old enough, so that the window stays small however often we are called.
    if (window_.size() > 1 && now - window_[window_.size() - 2].at < sample_every)
        window_.back() = sample;
    else
        window_.push_back(sample);
    while (window_.size() > 2 && now - window_[1].at >= window) window_.pop_front();
}

double Rate::bytes_per_second() const {
    if (window_.size() < 2) return 0;
    const double seconds = std::chrono::duration<double>(window_.back().at - window_.front().at).count();
    if (seconds <= 0 || window_.back().bytes < window_.front().bytes) return 0;
    return static_cast<double>(window_.back().bytes - window_.front().bytes) / seconds;
}

std::optional<std::chrono::seconds> Rate::left() const {
    if (!first_ || window_.empty()) return std::nullopt;
    const Sample& last = window_.back();
    const double gained = last.fraction - first_->fraction;
    if (last.at - first_->at < guess_until || gained < fraction_min) return std::nullopt;
    const double seconds = std::chrono::duration<double>(last.at - first_->at).count();
    return std::chrono::seconds(std::llround(seconds * (1 - last.fraction) / gained));
}

} // namespace pgsluice::cli
