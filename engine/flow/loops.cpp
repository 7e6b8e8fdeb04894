#include "flow/loops.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/limits.hpp"

namespace pgsluice::flow {

namespace {

// One event loop and its thread.
struct Loop {
    Loop() : guard(asio::make_work_guard(context)), thread([this] { context.run(); }) {}
    void stop() {
        guard.reset();
        context.stop();
        thread.join();
    }

    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard;
    std::thread thread;
};

} // namespace

struct Loops::State {
    explicit State(int helper_threads) : helpers(static_cast<std::size_t>(std::max(1, helper_threads))) {}

    // Before the loops: what is destroyed with a loop (an abandoned connection) may still post to the
    // helpers.
    asio::thread_pool helpers;
    Loop main;
    std::vector<std::unique_ptr<Loop>> lanes;
};

Loops::Loops(int lane_loops, int helper_threads) : state_(std::make_unique<State>(helper_threads)) {
    for (int i = 0; i < std::max(1, lane_loops); ++i) state_->lanes.push_back(std::make_unique<Loop>());
}

Loops::~Loops() {
    for (const auto& lane : state_->lanes) lane->stop();
    state_->main.stop();
    // Only after the loops: helpers finish what they were given, and post the results to loops that still
    // exist. What nobody waits for any more, a name that no server answers for, must not hold the caller.
    std::promise<void> promise;
    const std::future<void> ended = promise.get_future();
    std::thread last([state = std::move(state_), promise = std::move(promise)]() mutable {
        state->helpers.join();
        state.reset();
        promise.set_value();
    });
    if (ended.wait_for(limits::helpers_grace) == std::future_status::ready)
        last.join();
    else
        last.detach();
}

Executor Loops::main() const { return state_->main.context.get_executor(); }

Executor Loops::lane(int index) const {
    const auto count = static_cast<int>(state_->lanes.size());
    return state_->lanes[static_cast<std::size_t>(((index % count) + count) % count)]->context.get_executor();
}

Executor Loops::helpers() const { return state_->helpers.get_executor(); }

} // namespace pgsluice::flow
