// Deadlines, join and offload: the traps of Asio's own operators that they avoid.
#include <thread>

#include <boost/system/system_error.hpp>

#include "flow/deadline.hpp"
#include "flow/join.hpp"
#include "flow/offload.hpp"
#include "flow/stop.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace std::chrono_literals;
using flow::Task;

namespace {

struct Ended {
    bool* flag;
    ~Ended() { *flag = true; }
};

Task<void> fails_after(flow::Duration delay, std::string text) {
    co_await flow::sleep_for(delay);
    throw Error{ErrorKind::source, std::move(text)};
}

Task<void> sleeps(flow::Duration length, bool* ended) {
    const Ended guard{ended};
    co_await flow::sleep_for(length);
}

Task<std::unique_ptr<int>> makes(int value) { co_return std::make_unique<int>(value); }

Task<void> timed_out_work_has_ended(bool* ended) {
    std::string text;
    try {
        co_await flow::with_timeout(sleeps(30s, ended), 10ms, "too late");
    } catch (const flow::TimedOut& late) {
        text = late.what();
    }
    CHECK(text == "too late");
    CHECK(*ended); // before the exception came here, not some time later
}

Task<int> offloaded(flow::Executor helpers) {
    const std::thread::id here = std::this_thread::get_id();
    auto job = [here] { return std::this_thread::get_id() == here ? 0 : 7; };
    const int result = co_await flow::offload(helpers, job);
    CHECK(std::this_thread::get_id() == here);
    co_return result;
}

Task<void> offloaded_failure(flow::Executor helpers) {
    auto job = [] { throw Error{ErrorKind::internal, "job failed"}; };
    co_await flow::offload(helpers, job);
}

Task<void> cancelled_offload(flow::Executor helpers, bool* finished) {
    auto job = [finished] {
        std::this_thread::sleep_for(100ms);
        *finished = true;
    };
    co_await flow::offload(helpers, job);
    co_await flow::sleep_for(30s);
}

Task<void> abandoned_job(flow::Executor helpers, std::shared_ptr<std::atomic<bool>> finished,
                         flow::Duration length = 100ms) {
    std::function<void()> job = [finished, length] {
        std::this_thread::sleep_for(length);
        *finished = true;
    };
    co_await flow::with_timeout(flow::run_on_helper_abandoning(helpers, job), 20ms, "too late");
}

} // namespace

TEST_CASE("with_timeout returns results, also of types without a default", "[tsan]") {
    flow::Loops loops(1, 1);
    CHECK(*flow::run_blocking(loops, flow::with_timeout(makes(5), 10s, "late")) == 5);
    CHECK(*flow::run_blocking(loops, flow::with_timeout(makes(6), flow::Duration::zero(), "late")) == 6);
}

TEST_CASE("with_timeout throws a failure at once, not at the limit", "[tsan]") {
    flow::Loops loops(1, 1);
    const auto before = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(flow::run_blocking(loops, flow::with_timeout(fails_after(1ms, "cause"), 20s, "late")),
                      "cause");
    CHECK(std::chrono::steady_clock::now() - before < 10s);
}

TEST_CASE("late work is cancelled and awaited before the error", "[tsan]") {
    flow::Loops loops(1, 1);
    bool ended = false;
    flow::run_blocking(loops, timed_out_work_has_ended(&ended));
}

TEST_CASE("a cancellation from outside is not a timeout", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    bool ended = false;
    std::thread asker([&] {
        std::this_thread::sleep_for(30ms);
        stop.request();
    });
    CHECK_THROWS_WITH(flow::run_blocking(loops, flow::with_timeout(sleeps(30s, &ended), 20s, "late"), stop),
                      "stopped on request");
    CHECK(ended);
    asker.join();
}

TEST_CASE("join rethrows the first cause, whichever side it is, and ends both", "[tsan]") {
    flow::Loops loops(1, 1);
    bool ended = false;
    CHECK_THROWS_WITH(flow::run_blocking(loops, flow::join(fails_after(1ms, "left"), sleeps(30s, &ended))),
                      "left");
    CHECK(ended);
    ended = false;
    CHECK_THROWS_WITH(flow::run_blocking(loops, flow::join(sleeps(30s, &ended), fails_after(1ms, "right"))),
                      "right");
    CHECK(ended);
    CHECK_THROWS_WITH(
        flow::run_blocking(loops, flow::join(fails_after(40ms, "second"), fails_after(1ms, "first"))),
        "first");
}

TEST_CASE("join waits for both", "[tsan]") {
    flow::Loops loops(1, 1);
    bool first = false, second = false;
    flow::run_blocking(loops, flow::join(sleeps(20ms, &first), sleeps(1ms, &second)));
    CHECK(first);
    CHECK(second);
}

TEST_CASE("offload runs elsewhere, comes back here, and brings failures along", "[tsan]") {
    flow::Loops loops(1, 2);
    CHECK(flow::run_blocking(loops, offloaded(loops.helpers())) == 7);
    CHECK_THROWS_WITH(flow::run_blocking(loops, offloaded_failure(loops.helpers())), "job failed");
}

TEST_CASE("a cancelled offload waits for its job, which may use the caller's frame", "[tsan]") {
    flow::Loops loops(1, 1);
    const StopSource stop;
    bool finished = false;
    std::thread asker([&] {
        std::this_thread::sleep_for(20ms);
        stop.request();
    });
    CHECK_THROWS_AS(flow::run_blocking(loops, cancelled_offload(loops.helpers(), &finished), stop), Error);
    CHECK(finished);
    asker.join();
}

TEST_CASE("an abandoned job does not hold its caller, and does no harm later", "[tsan]") {
    auto finished = std::make_shared<std::atomic<bool>>(false);
    {
        flow::Loops loops(1, 1);
        CHECK_THROWS_AS(flow::run_blocking(loops, abandoned_job(loops.helpers(), finished)), flow::TimedOut);
        CHECK_FALSE(finished->load());
    }
    CHECK(finished->load()); // the helpers end what they began
}

TEST_CASE("a job that blocks for long does not hold the end of the loops", "[tsan]") {
    auto finished = std::make_shared<std::atomic<bool>>(false);
    const auto before = std::chrono::steady_clock::now();
    {
        flow::Loops loops(1, 1);
        CHECK_THROWS_AS(flow::run_blocking(loops, abandoned_job(loops.helpers(), finished, 3s)),
                        flow::TimedOut);
    }
    CHECK(std::chrono::steady_clock::now() - before < 2s);
    while (!finished->load()) std::this_thread::sleep_for(10ms);
}
