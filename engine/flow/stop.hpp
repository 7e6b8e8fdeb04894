// Starting a run and stopping it: Asio's own cancellation, from the root task down.
//
// StopSource::request() emits a terminal cancellation on the root task. Whatever it waits for
// then throws boost::system::system_error{operation_aborted}, and everything unwinds. A task that does not
// wait at that moment gets it at its next co_await.
//
// Cleanup after a cancellation: a task that was cancelled cannot co_await any more, each one throws. Catch,
// forget the cancellation, clean up, throw again:
//     std::exception_ptr cause;
//     try { co_await work(); } catch (...) { cause = std::current_exception(); }
//     if (cause) {
//         co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
//         co_await flow::uninterrupted(clean_up());
//         std::rethrow_exception(cause);
//     }
//
// A critical section (from the first rename of the swap until its outcome is known): co_await
// flow::uninterrupted(...). The cancellation is not lost: it comes at the caller's next co_await after the
// section.
#pragma once
#include <optional>
#include <type_traits>
#include <utility>

#include "base/stop.hpp"
#include "flow/deadline.hpp"
#include "flow/loops.hpp"
#include "flow/task.hpp"

namespace pgsluice::flow {

// Runs `root` on the main loop while the calling thread waits for its end; throws what it throws, except that
// a run which was asked to stop and ended for that reason throws stop.error().
void run_root(const Loops& loops, Task<void> root, const StopSource& stop);

template <class T>
T run_blocking(const Loops& loops, Task<T> root, const StopSource& stop = {}) {
    if constexpr (std::is_void_v<T>) {
        run_root(loops, std::move(root), stop);
    } else {
        std::optional<T> result;
        run_root(loops, store_result(std::move(root), &result), stop);
        return std::move(*result);
    }
}

// `work` on another single-threaded loop, awaited from here. A cancellation here reaches it over there, on
// its own thread; this call returns when the work has ended.
Task<void> run_on(Executor loop, Task<void> work);

template <class T>
Task<T> on(Executor loop, Task<T> work) {
    if constexpr (std::is_void_v<T>) {
        co_await run_on(loop, std::move(work));
    } else {
        std::optional<T> result;
        co_await run_on(loop, store_result(std::move(work), &result));
        co_return std::move(*result);
    }
}

// `work` to its end, whoever asks for what; see above.
Task<void> run_uninterrupted(Task<void> work);

template <class T>
Task<T> uninterrupted(Task<T> work) {
    if constexpr (std::is_void_v<T>) {
        co_await run_uninterrupted(std::move(work));
    } else {
        std::optional<T> result;
        co_await run_uninterrupted(store_result(std::move(work), &result));
        co_return std::move(*result);
    }
}

} // namespace pgsluice::flow
