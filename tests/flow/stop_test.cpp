// Running, stopping, waiting on other loops: what every run stands on.
#include "flow/stop.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include "flow/offload.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace std::chrono_literals;
using flow::Task;

namespace {

Task<std::string> answer() { co_return "forty-two"; }

Task<void> failing() {
    co_await flow::sleep_for(1ms);
    throw Error{ErrorKind::refused, "no"};
}

Task<void> sleeping(bool* started) {
    *started = true;
    co_await flow::sleep_for(30s);
}

Task<void> request_after(StopSource stop, flow::Duration delay) {
    std::thread([stop, delay] {
        std::this_thread::sleep_for(delay);
        stop.request();
    }).detach();
    co_return;
}

// The pattern that stop.hpp documents.
Task<void> work_and_clean_up(std::string* log) {
    std::exception_ptr cause;
    try {
        co_await flow::sleep_for(30s);
    } catch (...) {
        cause = std::current_exception();
    }
    *log += "caught ";
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    co_await flow::uninterrupted(flow::sleep_for(20ms));
    *log += "cleaned";
    std::rethrow_exception(cause);
}

Task<void> critical_then_more(std::string* log) {
    co_await flow::uninterrupted(flow::sleep_for(80ms));
    *log += "section ended ";
    co_await flow::sleep_for(30s);
    *log += "not reached";
}

Task<int> on_other_loops(const flow::Loops* loops) {
    int sum = 0;
    for (int i = 0; i < 50; ++i) {
        std::string text = co_await flow::on(loops->lane(i), answer());
        sum += static_cast<int>(text.size());
    }
    co_return sum;
}

Task<std::thread::id> where() { co_return std::this_thread::get_id(); }

Task<bool> comes_back(const flow::Loops* loops) {
    const std::thread::id here = std::this_thread::get_id();
    const std::thread::id there = co_await flow::on(loops->lane(0), where());
    co_return there != here&& std::this_thread::get_id() == here;
}

Task<void> waits_on_lane(const flow::Loops* loops, bool* started) {
    co_await flow::on(loops->lane(0), sleeping(started));
}

int stop_signal_of(int number) {
    flow::Loops loops(1, 1);
    const StopSource stop;
    stop_on_signals(stop);
    std::thread([number] {
        std::this_thread::sleep_for(50ms);
        ::kill(::getpid(), number);
    }).detach();
    try {
        flow::run_blocking(loops, flow::sleep_for(30s), stop);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::stopped);
        CHECK(stop.signal() == number);
        return stop.signal();
    }
    return 0;
}

} // namespace

TEST_CASE("the root's result and the root's failure reach the caller", "[tsan]") {
    flow::Loops loops(1, 1);
    CHECK(flow::run_blocking(loops, answer()) == "forty-two");
    CHECK_THROWS_WITH(flow::run_blocking(loops, failing()), "no");
}

TEST_CASE("a stop from another thread ends a waiting run at once", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    bool started = false;
    std::thread asker([&] {
        std::this_thread::sleep_for(50ms);
        stop.request();
    });
    const auto before = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(flow::run_blocking(loops, sleeping(&started), stop), "stopped on request");
    CHECK(started);
    CHECK(std::chrono::steady_clock::now() - before < 5s);
    asker.join();
}

TEST_CASE("a stop asked for before the run starts is not forgotten", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    stop.request();
    CHECK_THROWS_WITH(flow::run_blocking(loops, flow::sleep_for(30s), stop), "stopped on request");
}

TEST_CASE("a failure of its own is not taken for a stop", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    flow::run_blocking(loops, request_after(stop, 0ms));
    while (!stop.requested()) std::this_thread::sleep_for(1ms);
    CHECK_THROWS_AS(flow::run_blocking(loops, failing(), stop), std::exception);
}

TEST_CASE("cleanup after a cancellation may wait again, and the cause survives", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    std::string log;
    std::thread asker([&] {
        std::this_thread::sleep_for(30ms);
        stop.request();
        std::this_thread::sleep_for(5ms);
        stop.request(); // a second one does not tear an uninterrupted cleanup apart
    });
    CHECK_THROWS_AS(flow::run_blocking(loops, work_and_clean_up(&log), stop), Error);
    CHECK(log == "caught cleaned");
    asker.join();
}

TEST_CASE("a critical section ends first; the stop comes right after it", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    std::string log;
    std::thread asker([&] {
        std::this_thread::sleep_for(20ms);
        stop.request();
    });
    CHECK_THROWS_AS(flow::run_blocking(loops, critical_then_more(&log), stop), Error);
    CHECK(log == "section ended ");
    asker.join();
}

TEST_CASE("tasks on other loops: results come back to the caller's thread", "[tsan]") {
    flow::Loops loops(3, 1);
    CHECK(flow::run_blocking(loops, on_other_loops(&loops)) == 50 * 9);
    CHECK(flow::run_blocking(loops, comes_back(&loops)));
}

TEST_CASE("a stop crosses over to the loop where the work is", "[tsan]") {
    for (int round = 0; round < 20; ++round) {
        flow::Loops loops(1, 1);
        const StopSource stop;
        bool started = false;
        std::thread asker([&, round] {
            std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
            stop.request();
        });
        CHECK_THROWS_AS(flow::run_blocking(loops, waits_on_lane(&loops, &started), stop), Error);
        asker.join();
    }
}

TEST_CASE("SIGTERM and SIGINT stop a run that asked for it", "[tsan]") {
    CHECK(stop_signal_of(SIGTERM) == SIGTERM);
    CHECK(stop_signal_of(SIGINT) == SIGINT);
}
