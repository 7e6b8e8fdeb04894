#include "flow/stop.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace pgsluice::flow {

namespace {

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

// Not a future: ThreadSanitizer runs a signal's handler only where it knows that a thread waits, and it does
// not know what a future waits on.
class Ending {
public:
    void set(std::exception_ptr failure) {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        failure_ = std::move(failure);
        changed_.notify_one();
    }
    std::exception_ptr wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_; });
        return failure_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    std::exception_ptr failure_;
};

} // namespace

void run_root(const Loops& loops, Task<void> work, const StopSource& stop) {
    const Executor main = loops.main();
    Ending ending;
    auto ended = [&ending](const std::exception_ptr& failure) { ending.set(failure); };
    // The loop's, until the root has ended; a request that comes later finds it still there and nobody at it.
    const auto cancellation = std::make_shared<asio::cancellation_signal>();
    asio::post(main, [&, cancellation] {
        asio::co_spawn(main, std::move(work), asio::bind_cancellation_slot(cancellation->slot(), ended));
    });
    const StopSource::Listener listener = stop.listen([main, cancellation] {
        asio::post(main, [cancellation] { cancellation->emit(asio::cancellation_type::terminal); });
    });
    const std::exception_ptr failure = ending.wait();
    if (!failure) return;
    if (stop.requested() && is_cancellation(failure)) throw stop.error();
    std::rethrow_exception(failure);
}

namespace {

// Between the loop that waits and the loop that works; each touches its own half only.
struct Crossing {
    explicit Crossing(const Executor& waiting) : woken(waiting, asio::steady_timer::time_point::max()) {}
    // The waiting loop's.
    asio::steady_timer woken;
    bool ended = false;
    std::exception_ptr failure;
    // The working loop's.
    asio::cancellation_signal stop;
};

void start_over_there(const std::shared_ptr<Crossing>& crossing, const Executor& here, const Executor& there,
                      Task<void> work) {
    auto ended = [crossing, here](std::exception_ptr failure) {
        asio::post(here, [crossing, failure = std::move(failure)] {
            crossing->ended = true;
            crossing->failure = failure;
            crossing->woken.cancel();
        });
    };
    asio::post(there, [crossing, there, work = std::move(work), ended = std::move(ended)]() mutable {
        asio::co_spawn(there, std::move(work),
                       asio::bind_cancellation_slot(crossing->stop.slot(), std::move(ended)));
    });
}

} // namespace

// Not co_spawn(loop, work, use_awaitable): in Boost 1.81 it sends a cancellation over as the bare address of
// a signal in the waiter's slot, which is gone when the work ends in that very moment.
Task<void> run_on(Executor loop, Task<void> work) {
    const Executor here = co_await asio::this_coro::executor;
    const auto crossing = std::make_shared<Crossing>(here);
    start_over_there(crossing, here, loop, std::move(work));
    // Cancelled here: told over there, and waited for all the same.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!crossing->ended) {
        boost::system::error_code woken;
        co_await crossing->woken.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (crossing->ended) break;
        asio::post(loop, [crossing] { crossing->stop.emit(asio::cancellation_type::terminal); });
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (crossing->failure) std::rethrow_exception(crossing->failure);
}

Task<void> run_uninterrupted(Task<void> work) {
    const Executor executor = co_await asio::this_coro::executor;
    auto uncancellable = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_await asio::co_spawn(executor, std::move(work), std::move(uncancellable));
}

} // namespace pgsluice::flow
