#include "flow/stop.hpp"

#include <csignal>
#include <future>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace pgsluice::flow {

struct StopSource::State {
    std::mutex mutex;
    bool requested = false;
    int signal = 0;
    std::function<void()> tell; // set while a run is on
};

StopSource::StopSource() : state_(std::make_shared<State>()) {}

bool StopSource::requested() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requested;
}

int StopSource::signal() const {
    const std::lock_guard lock(state_->mutex);
    return state_->signal;
}

void StopSource::request(int signal) const {
    const std::lock_guard lock(state_->mutex);
    state_->requested = true;
    if (signal != 0) state_->signal = signal;
    if (state_->tell) state_->tell();
}

namespace {

// Lives on the main loop from the root's start to its end.
struct Root {
    explicit Root(const Executor& loop) : signals(loop) {}
    asio::cancellation_signal cancellation;
    asio::signal_set signals;
};

void await_signal(const std::shared_ptr<Root>& root, const std::function<void(int)>& request) {
    root->signals.async_wait([root, request](boost::system::error_code code, int number) {
        if (code) return;
        request(number);
        await_signal(root, request); // a second one interrupts a cleanup that waits
    });
}

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

Error stopped(int signal) {
    if (signal == SIGINT) return Error{ErrorKind::stopped, "stopped by SIGINT"};
    if (signal == SIGTERM) return Error{ErrorKind::stopped, "stopped by SIGTERM"};
    return Error{ErrorKind::stopped, "stopped on request"};
}

} // namespace

void run_root(const Loops& loops, Task<void> work, const StopSource& stop, bool on_signals) {
    const Executor main = loops.main();
    auto root = std::make_shared<Root>(main);
    std::promise<void> promise;
    std::future<void> future = promise.get_future();
    asio::post(main, [&, root] {
        asio::co_spawn(main, std::move(work),
                       asio::bind_cancellation_slot(root->cancellation.slot(),
                                                    [&, root](const std::exception_ptr& failure) {
                                                        boost::system::error_code ignored;
                                                        root->signals.cancel(ignored);
                                                        root->signals.clear(ignored);
                                                        if (failure)
                                                            promise.set_exception(failure);
                                                        else
                                                            promise.set_value();
                                                    }));
        // The handler is a member of nothing that ends before the loop: `root` keeps itself alive through it.
        const std::weak_ptr<Root> weak = root;
        const std::lock_guard lock(stop.state_->mutex);
        stop.state_->tell = [main, weak] {
            asio::post(main, [weak] {
                if (const auto alive = weak.lock())
                    alive->cancellation.emit(asio::cancellation_type::terminal);
            });
        };
        if (stop.state_->requested) stop.state_->tell();
        if (!on_signals) return;
        root->signals.add(SIGINT);
        root->signals.add(SIGTERM);
        const StopSource source = stop;
        await_signal(root, [source](int number) { source.request(number); });
    });
    std::exception_ptr failure;
    try {
        future.get();
    } catch (...) {
        failure = std::current_exception();
    }
    {
        const std::lock_guard lock(stop.state_->mutex);
        stop.state_->tell = nullptr;
    }
    if (!failure) return;
    if (stop.requested() && is_cancellation(failure)) throw stopped(stop.signal());
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
