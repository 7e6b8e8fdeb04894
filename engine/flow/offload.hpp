// Work that would block an event loop: it runs on the helper threads, and its caller goes on where it was.
#pragma once
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "flow/task.hpp"

namespace pgsluice::flow {

// Runs `job` on a helper thread and resumes here when it has ended, whatever happens: a cancellation waits
// for it, so the job may refer to what the caller's frame holds. What the job throws is thrown here.
Task<void> run_on_helper(Executor helpers, std::function<void()> job);

// The same, but a cancellation or a timeout does not wait: the job goes on alone, so it must own all that it
// uses.
Task<void> run_on_helper_abandoning(Executor helpers, std::function<void()> job);

// Give it a named callable: gcc 12 destroys a capturing lambda temporary twice in a co_await expression.
template <class F, class R = std::invoke_result_t<F&>>
Task<R> offload(Executor helpers, F f) {
    if constexpr (std::is_void_v<R>) {
        std::function<void()> job = [&f] { f(); };
        co_await run_on_helper(helpers, std::move(job));
    } else {
        std::optional<R> result;
        std::function<void()> job = [&f, &result] { result.emplace(f()); };
        co_await run_on_helper(helpers, std::move(job));
        co_return std::move(*result);
    }
}

} // namespace pgsluice::flow
