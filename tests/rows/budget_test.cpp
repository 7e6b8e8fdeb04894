#include "rows/budget.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "support/catch.hpp"

using namespace pgsluice;

TEST_CASE("the lanes' guaranteed bytes are not shared", "[tsan]") {
    const rows::Budget budget{10 * limits::MiB, 4};
    CHECK(budget.shared_left() == 10 * limits::MiB - 4 * limits::pipe_bytes_guaranteed);
}

TEST_CASE("too little memory for the lanes is a mistake of the user, with the number that would do",
          "[tsan]") {
    try {
        const rows::Budget budget{4 * limits::MiB - 1, 4};
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        CHECK(error.hint().find("4.0 MiB") != std::string::npos);
    }
    CHECK(rows::Budget{4 * limits::MiB, 4}.shared_left() == 0);
}

TEST_CASE("nobody gets what is not there, and all comes back", "[tsan]") {
    rows::Budget budget{limits::MiB + 100, 1};
    CHECK(budget.try_take(60));
    CHECK_FALSE(budget.try_take(41));
    CHECK(budget.try_take(40));
    CHECK_FALSE(budget.try_take(1));
    budget.give_back(100);
    CHECK(budget.shared_left() == 100);
}

// Pipes of different loops take from it at once: never more than there is.
TEST_CASE("threads that race for the budget never hold more than it has", "[tsan]") {
    constexpr std::size_t shared = 1000;
    rows::Budget budget{limits::MiB + shared, 1};
    std::atomic<std::size_t> held{0};
    std::atomic<bool> too_much{false};
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            const std::size_t bytes = 100 + thread * 77;
            for (int round = 0; round < 20'000; ++round) {
                if (!budget.try_take(bytes)) continue;
                if (held.fetch_add(bytes) + bytes > shared) too_much = true;
                held.fetch_sub(bytes);
                budget.give_back(bytes);
            }
        });
    }
    threads.clear();
    CHECK_FALSE(too_much);
    CHECK(budget.shared_left() == shared);
}
