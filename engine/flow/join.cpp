#include "flow/join.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::flow {

Task<void> join(Task<void> first, Task<void> second) {
    const Executor executor = co_await asio::this_coro::executor;
    auto group =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(first), asio::deferred),
                                                asio::co_spawn(executor, std::move(second), asio::deferred));
    const auto [order, first_failure, second_failure] =
        co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
    // `order` is the order of ending: the one that ended first with a failure is the cause, the other was
    // cancelled.
    for (const std::size_t which : order)
        if (const std::exception_ptr& failure = which == 0 ? first_failure : second_failure)
            std::rethrow_exception(failure);
}

} // namespace pgsluice::flow
