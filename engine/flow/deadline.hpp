// Every wait has a deadline. A limit of zero means none.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "flow/task.hpp"

namespace pgsluice::flow {

using Duration = std::chrono::steady_clock::duration;

// Thrown by with_timeout: a kind of its own, so that nobody has to compare texts. Its error kind is
// `connection`.
class TimedOut : public Error {
public:
    explicit TimedOut(std::string what) : Error(ErrorKind::connection, std::move(what)) {}
};

// What `with_timeout` does for every T: true when `work` ended by itself (its failure is thrown), false when
// the limit came first; then the work was cancelled and has ended.
Task<bool> ends_within(Task<void> work, Duration limit);

// Stores what a task returns; T needs no default constructor then.
template <class T>
Task<void> store_result(Task<T> work, std::optional<T>* into) {
    into->emplace(co_await std::move(work));
}

// Throws TimedOut{what} when `work` is not done within `limit`; the work is cancelled and awaited first. Work
// that ends well in the very moment is not lost: its result is returned.
template <class T>
Task<T> with_timeout(Task<T> work, Duration limit, std::string what) {
    if constexpr (std::is_void_v<T>) {
        const bool in_time = co_await ends_within(std::move(work), limit);
        if (!in_time) throw TimedOut{std::move(what)};
    } else {
        std::optional<T> result;
        const bool in_time = co_await ends_within(store_result(std::move(work), &result), limit);
        if (!in_time) throw TimedOut{std::move(what)};
        co_return std::move(*result);
    }
}

// Sleeps; throws operation_aborted when cancelled.
Task<void> sleep_for(Duration length);

} // namespace pgsluice::flow
