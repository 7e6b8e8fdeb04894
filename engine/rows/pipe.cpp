#include "rows/pipe.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "codec/zstd.hpp"
#include "flow/offload.hpp"

namespace pgsluice::rows {
namespace {

constexpr int zstd_level = 1;
constexpr std::uint32_t pause_first = 16, pause_max = 1024; // blocks sent raw after one that did not shrink
constexpr std::size_t spares_min = 2;                       // one for each end

std::string_view view(const Block& block) { return {block.data(), block.size()}; }

// Waits until the timer, which never expires, is cancelled: by wake(), or because this coroutine is. The two
// look the same to the timer, so the cancellation state decides.
Task<void> wait_for_wake(asio::steady_timer& timer, bool& waits) {
    boost::system::error_code woken;
    waits = true;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    waits = false;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
}

void wake(asio::steady_timer& timer, bool waits) {
    if (waits) timer.cancel();
}

} // namespace

bool Pipe::Worth::try_now() {
    if (skip == 0) return true;
    --skip;
    return false;
}

void Pipe::Worth::learn(bool shrank) {
    pause = shrank ? 0 : std::clamp(pause * 2, pause_first, pause_max);
    skip = pause;
}

Pipe::Pipe(const flow::Executor& loop, flow::Executor helpers, Budget& budget)
    : helpers_(std::move(helpers)), budget_(budget), can_push_(loop, asio::steady_timer::time_point::max()),
      can_pop_(loop, asio::steady_timer::time_point::max()) {}

Pipe::~Pipe() { budget_.give_back(from_budget_); }

bool Pipe::try_reserve(std::size_t bytes) {
    const std::size_t held = held_bytes_ + bytes;
    const std::size_t shared =
        held > limits::pipe_bytes_guaranteed ? held - limits::pipe_bytes_guaranteed : 0;
    if (shared > from_budget_) {
        if (!budget_.try_take(shared - from_budget_)) return false;
        from_budget_ = shared;
    }
    held_bytes_ = held;
    statistics_.held_bytes_peak = std::max(statistics_.held_bytes_peak, held);
    return true;
}

void Pipe::release(std::size_t bytes) {
    assert(held_bytes_ >= bytes);
    held_bytes_ -= bytes;
    const std::size_t shared =
        held_bytes_ > limits::pipe_bytes_guaranteed ? held_bytes_ - limits::pipe_bytes_guaranteed : 0;
    if (from_budget_ > shared) budget_.give_back(from_budget_ - shared);
    from_budget_ = std::min(from_budget_, shared);
    wake(can_push_, producer_waits_);
}

void Pipe::refuse_failed() const {
    if (failure_) std::rethrow_exception(failure_);
}

Task<void> Pipe::reserve(std::size_t bytes) {
    while (!try_reserve(bytes)) {
        ++statistics_.producer_waits;
        co_await wait_for_wake(can_push_, producer_waits_);
        refuse_failed();
    }
}

// Raw memory is free to use while there is plenty, and zstd costs CPU: compress only what could soon be
// missing.
bool Pipe::past_mark() const { return held_bytes_ > limits::pipe_bytes_guaranteed / 2 && budget_.scarce(); }

Task<void> Pipe::compress(Held& held) {
    // What shrinks by less than a tenth is not worth the consumer's time.
    const auto shrink = [&held] {
        return codec::zstd_compress_within(view(held.bytes), held.bytes.size() / 10 * 9, zstd_level);
    };
    std::optional<std::vector<char>> frame = co_await flow::offload(helpers_, shrink);
    worth_.learn(frame.has_value());
    if (!frame) co_return;
    give_spare(std::exchange(held.bytes, std::move(*frame)));
    held.compressed = true;
    const std::size_t charge = held.bytes.capacity();
    release(held.charge - charge);
    held.charge = charge;
    ++statistics_.blocks_compressed;
}

Task<void> Pipe::push(Block block) {
    refuse_failed();
    if (finished_) throw Error{ErrorKind::internal, "a block after the end of the pipe"};
    if (block.empty()) co_return;
    if (block.size() > limits::block_bytes_max)
        throw Error{ErrorKind::internal, "a block is too large for the pipe"};
    if (block.capacity() > limits::block_bytes_max) block.shrink_to_fit();

    const std::size_t raw_bytes = block.size(), charge = block.capacity();
    co_await reserve(charge);
    Held held{std::move(block), charge, false};
    if (past_mark() && worth_.try_now()) {
        std::exception_ptr why;
        try {
            co_await compress(held);
        } catch (...) {
            why = std::current_exception();
        }
        if (!why) why = failure_; // the consumer may have failed meanwhile
        if (why) {
            release(held.charge);
            std::rethrow_exception(why);
        }
    }
    held_.push_back(std::move(held));
    ++statistics_.blocks;
    statistics_.bytes += raw_bytes;
    wake(can_pop_, consumer_waits_);
    // A source that always has bytes would else never let the consumer, or another lane of this loop, run.
    co_await asio::post(asio::use_awaitable);
}

void Pipe::finish() {
    finished_ = true;
    wake(can_pop_, consumer_waits_);
}

Task<std::optional<Block>> Pipe::pop() {
    refuse_failed();
    while (held_.empty()) {
        if (finished_) co_return std::nullopt;
        ++statistics_.consumer_waits;
        co_await wait_for_wake(can_pop_, consumer_waits_);
        refuse_failed();
    }
    Held held = std::move(held_.front());
    held_.pop_front();
    if (held.compressed) {
        // On the loop: it takes a tenth of a millisecond, about what a helper's two context switches cost.
        Block raw = take_spare();
        codec::zstd_decompress_into(view(held.bytes), limits::block_bytes_max, raw);
        held.bytes = std::move(raw);
    }
    release(held.charge);
    co_return std::move(held.bytes);
}

void Pipe::fail(std::exception_ptr why) {
    if (failure_) return;
    failure_ = why ? std::move(why) : std::make_exception_ptr(Error{ErrorKind::internal, "the pipe failed"});
    std::size_t charges = 0;
    for (const Held& held : held_) charges += held.charge;
    held_.clear();
    release(charges);
    wake(can_push_, producer_waits_);
    wake(can_pop_, consumer_waits_);
}

Block Pipe::take_spare() {
    if (spares_.empty()) {
        ++statistics_.blocks_allocated;
        return {};
    }
    Block block = std::move(spares_.back());
    spares_.pop_back();
    spare_bytes_ -= block.capacity();
    return block;
}

// Spares fill what is left of the guaranteed bytes, so that a pipe whose filling swings does not allocate
// either.
void Pipe::give_spare(Block block) {
    const std::size_t bytes = block.capacity();
    if (bytes == 0 || bytes > limits::block_bytes_max) return;
    if (spares_.size() >= spares_min && held_bytes_ + spare_bytes_ + bytes > limits::pipe_bytes_guaranteed)
        return;
    spare_bytes_ += bytes;
    spares_.push_back(std::move(block));
}

} // namespace pgsluice::rows
