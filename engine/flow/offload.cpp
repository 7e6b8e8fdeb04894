#include "flow/offload.hpp"

#include <exception>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::flow {

namespace {

Task<void> call(std::function<void()> job) {
    job();
    co_return;
}

// Shared by the helper and the waiter; the timer and `ended` belong to the waiter's loop.
struct Outcome {
    explicit Outcome(const Executor& loop) : woken(loop, asio::steady_timer::time_point::max()) {}
    asio::steady_timer woken;
    bool ended = false;
    std::exception_ptr failure;
};

} // namespace

Task<void> run_on_helper(Executor helpers, std::function<void()> job) {
    // The empty slot: a cancellation of ours must not reach into a coroutine that runs on another thread.
    auto uncancellable = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_await asio::co_spawn(helpers, call(std::move(job)), std::move(uncancellable));
}

Task<void> run_on_helper_abandoning(Executor helpers, std::function<void()> job) {
    const Executor loop = co_await asio::this_coro::executor;
    auto outcome = std::make_shared<Outcome>(loop);
    std::function<void()> work = [job = std::move(job), outcome, loop] {
        std::exception_ptr failure;
        try {
            job();
        } catch (...) {
            failure = std::current_exception();
        }
        asio::post(loop, [outcome, failure] {
            outcome->ended = true;
            outcome->failure = failure;
            outcome->woken.cancel();
        });
    };
    asio::post(helpers, std::move(work));
    try {
        co_await outcome->woken.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
        if (!outcome->ended) throw; // cancelled from outside, not woken by the job
    }
    if (outcome->failure) std::rethrow_exception(outcome->failure);
}

} // namespace pgsluice::flow
