#include "flow/deadline.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::flow {

// Not `work || timer` of awaitable_operators: that waits for one success, so work that fails would be held
// until the limit and then be reported as late.
Task<bool> ends_within(Task<void> work, Duration limit) {
    if (limit == Duration::zero()) {
        co_await std::move(work);
        co_return true;
    }
    const Executor executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(work), asio::deferred), timer.async_wait(asio::deferred));
    const auto [order, failure, timer_code] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (!failure) co_return true;
    const bool late = order[0] == 1 && !timer_code;
    if (!late) std::rethrow_exception(failure);
    co_return false;
}

Task<void> sleep_for(Duration length) {
    asio::steady_timer timer(co_await asio::this_coro::executor, length);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace pgsluice::flow
