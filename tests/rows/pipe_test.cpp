#include "rows/pipe.hpp"

#include <chrono>
#include <random>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using flow::Task;
using rows::Block;
using rows::Pipe;

namespace {

// A loop, two helpers and a pipe; run() drives the loop until all that was spawned has ended.
struct Lane {
    explicit Lane(std::size_t memory = limits::MiB)
        : budget{memory, 1}, pipe{loop.get_executor(), helpers.get_executor(), budget} {}

    void spawn(Task<void> task) {
        asio::co_spawn(loop, std::move(task), [this](std::exception_ptr why) {
            ++ended;
            if (why && !error) error = why;
        });
    }
    void run() {
        loop.run();
        loop.restart();
    }
    // Until the producer waits or the consumer does: no clock decides, so a busy machine changes nothing.
    void run_until_producer_waits() {
        while (pipe.statistics().producer_waits == 0) loop.run_one();
    }
    void run_until_consumer_waits() {
        while (pipe.statistics().consumer_waits == 0) loop.run_one();
    }
    void fail(std::string why) {
        pipe.fail(std::make_exception_ptr(Error{ErrorKind::target, std::move(why)}));
    }
    // What the coroutines threw first, "" for nothing.
    std::string message() const {
        if (!error) return "";
        try {
            std::rethrow_exception(error);
        } catch (const Error& e) {
            return e.message();
        } catch (const std::exception& e) {
            return e.what();
        }
    }

    asio::io_context loop{1};
    asio::thread_pool helpers{2};
    rows::Budget budget;
    Pipe pipe;
    int ended = 0;
    std::exception_ptr error;
};

Block block_of(std::size_t size, char fill = 'x') { return Block(size, fill); }

Block noise(std::mt19937_64& random, std::size_t size) {
    Block block(size);
    for (char& c : block) c = static_cast<char>(random());
    return block;
}

// Like COPY text: letters and digits that repeat, which zstd halves at least.
Block rows_text(std::mt19937_64& random, std::size_t size) {
    Block block;
    block.reserve(size + 40);
    while (block.size() < size) {
        const std::string row = std::to_string(random() % 1'000'000) + "\tsome status\t2026-11-23 12:00:00\n";
        block.insert(block.end(), row.begin(), row.end());
    }
    block.resize(size);
    return block;
}

Task<void> pause(std::chrono::microseconds length) {
    asio::steady_timer timer{co_await asio::this_coro::executor, length};
    co_await timer.async_wait(asio::use_awaitable);
}

Task<void> push_blocks(Pipe& pipe, int count, std::size_t size) {
    for (int i = 0; i < count; ++i) co_await pipe.push(block_of(size, static_cast<char>('a' + i % 26)));
    pipe.finish();
}

Task<void> push_large(Pipe& pipe, int count, bool compressible) {
    std::mt19937_64 random{1};
    for (int i = 0; i < count; ++i) {
        Block block = compressible ? rows_text(random, limits::block_bytes_max)
                                   : noise(random, limits::block_bytes_max);
        co_await pipe.push(std::move(block));
    }
    pipe.finish();
}

Task<void> pop_all(Pipe& pipe, std::vector<Block>& popped) {
    while (std::optional<Block> block = co_await pipe.pop()) popped.push_back(std::move(*block));
}

std::uint64_t add_to_hash(std::uint64_t hash, const Block& block) {
    for (const char c : block) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return hash;
}

} // namespace

TEST_CASE("finish after N blocks delivers N, in order", "[tsan]") {
    for (const int count : {0, 1, 3, 100}) {
        Lane lane;
        std::vector<Block> popped;
        lane.spawn(push_blocks(lane.pipe, count, 100'000));
        lane.spawn(pop_all(lane.pipe, popped));
        lane.run();
        CHECK(lane.message().empty());
        REQUIRE(popped.size() == static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            CHECK(popped[static_cast<std::size_t>(i)][99'999] == static_cast<char>('a' + i % 26));
        CHECK(lane.budget.shared_left() == 0);
    }
}

TEST_CASE("fail wakes a full producer, and the cause arrives", "[tsan]") {
    Lane lane;
    lane.spawn(push_large(lane.pipe, 1'000'000, false));
    lane.run_until_producer_waits();
    lane.fail("the target is gone");
    lane.run();
    CHECK(lane.ended == 1);
    CHECK(lane.message() == "the target is gone");
}

TEST_CASE("fail wakes a waiting consumer, and the cause arrives", "[tsan]") {
    Lane lane;
    std::vector<Block> popped;
    lane.spawn(pop_all(lane.pipe, popped));
    lane.run_until_consumer_waits();
    lane.fail("the source is gone");
    lane.run();
    CHECK(lane.ended == 1);
    CHECK(lane.message() == "the source is gone");
}

TEST_CASE("the first failure wins, and no later call forgets it", "[tsan]") {
    Lane lane;
    std::vector<Block> popped;
    lane.pipe.fail(std::make_exception_ptr(Error{ErrorKind::source, "first"}));
    lane.pipe.fail(std::make_exception_ptr(Error{ErrorKind::target, "second"}));
    lane.pipe.finish();
    lane.spawn(pop_all(lane.pipe, popped));
    lane.run();
    CHECK(lane.message() == "first");
    lane.error = nullptr;
    lane.spawn(push_blocks(lane.pipe, 1, 1));
    lane.run();
    CHECK(lane.message() == "first");
}

TEST_CASE("a failure gives the budget back at once", "[tsan]") {
    Lane lane{4 * limits::MiB};
    lane.spawn(push_large(lane.pipe, 1'000'000, false));
    lane.run_until_producer_waits();
    CHECK(lane.pipe.statistics().held_bytes_peak > limits::MiB);
    lane.fail("stop");
    lane.run();
    CHECK(lane.budget.shared_left() == 3 * limits::MiB);
}

TEST_CASE("a pipe that goes with blocks in it gives the budget back", "[tsan]") {
    rows::Budget budget{4 * limits::MiB, 1};
    asio::io_context loop{1};
    asio::thread_pool helpers{1};
    {
        Pipe pipe{loop.get_executor(), helpers.get_executor(), budget};
        asio::co_spawn(loop, push_large(pipe, 8, false), asio::detached);
        loop.run();
        CHECK(budget.shared_left() < 3 * limits::MiB);
    }
    CHECK(budget.shared_left() == 3 * limits::MiB);
}

TEST_CASE("a cancelled wait throws operation_aborted and the pipe goes on", "[tsan]") {
    Lane lane;
    asio::cancellation_signal stop;
    boost::system::error_code seen;
    asio::co_spawn(lane.loop, push_large(lane.pipe, 1'000'000, false),
                   asio::bind_cancellation_slot(stop.slot(), [&seen](std::exception_ptr why) {
                       try {
                           if (why) std::rethrow_exception(why);
                       } catch (const boost::system::system_error& error) {
                           seen = error.code();
                       }
                   }));
    lane.run_until_producer_waits();
    stop.emit(asio::cancellation_type::terminal);
    lane.run();
    CHECK(seen == asio::error::operation_aborted);

    const std::uint64_t pushed = lane.pipe.statistics().blocks;
    std::vector<Block> popped;
    lane.pipe.finish();
    lane.spawn(pop_all(lane.pipe, popped));
    lane.run();
    CHECK(popped.size() == pushed);
    CHECK(lane.message().empty());
}

TEST_CASE("nothing is pushed after the end, and no block larger than allowed", "[tsan]") {
    Lane lane;
    lane.spawn(push_blocks(lane.pipe, 1, limits::block_bytes_max + 1));
    lane.run();
    CHECK(lane.message() == "a block is too large for the pipe");
    lane.error = nullptr;
    lane.pipe.finish();
    lane.spawn(push_blocks(lane.pipe, 1, 1));
    lane.run();
    CHECK(lane.message() == "a block after the end of the pipe");
}

namespace {

struct Traffic {
    std::uint64_t seed = 0;
    int blocks = 0;
    int slow_producer_in = 0, slow_consumer_in = 0; // one pause in so many blocks; 0: never
    bool compressible = false;
};

Task<void> produce(Pipe& pipe, Traffic traffic, std::uint64_t& hash) {
    std::mt19937_64 random{traffic.seed};
    for (int i = 0; i < traffic.blocks; ++i) {
        const std::size_t size = 1 + random() % limits::block_bytes_max;
        Block block = traffic.compressible ? rows_text(random, size) : noise(random, size);
        hash = add_to_hash(hash, block);
        co_await pipe.push(std::move(block));
        if (traffic.slow_producer_in > 0 && random() % static_cast<unsigned>(traffic.slow_producer_in) == 0) {
            co_await pause(std::chrono::microseconds(random() % 2000));
        }
    }
    pipe.finish();
}

Task<void> consume(Pipe& pipe, Traffic traffic, std::uint64_t& hash) {
    std::mt19937_64 random{traffic.seed + 1};
    while (std::optional<Block> block = co_await pipe.pop()) {
        hash = add_to_hash(hash, *block);
        pipe.give_spare(std::move(*block));
        if (traffic.slow_consumer_in > 0 && random() % static_cast<unsigned>(traffic.slow_consumer_in) == 0) {
            co_await pause(std::chrono::microseconds(random() % 2000));
        }
    }
}

#ifdef __SANITIZE_THREAD__
constexpr int rounds_of_traffic = 3; // making and hashing each byte is slow then, and races show early
#else
constexpr int rounds_of_traffic = 24;
#endif

} // namespace

TEST_CASE("whatever the speeds, the bytes arrive as they were and the limit holds", "[tsan]") {
    std::mt19937_64 random{20261123};
    for (int round = 0; round < rounds_of_traffic; ++round) {
        const std::size_t memory = limits::MiB + random() % (4 * limits::MiB);
        Lane lane{memory};
        const Traffic traffic{.seed = random(),
                              .blocks = 80,
                              .slow_producer_in = static_cast<int>(random() % 4),
                              .slow_consumer_in = static_cast<int>(random() % 4),
                              .compressible = round % 3 != 0};
        std::uint64_t sent = 0xcbf29ce484222325ull, received = sent;
        lane.spawn(produce(lane.pipe, traffic, sent));
        lane.spawn(consume(lane.pipe, traffic, received));
        lane.run();
        INFO("round " << round << " memory " << memory);
        CHECK(lane.message().empty());
        CHECK(sent == received);
        CHECK(lane.pipe.statistics().held_bytes_peak <= memory);
        CHECK(lane.budget.shared_left() == memory - limits::MiB);
    }
}

// Not for TSan: it only makes many bytes, which is slow there.
TEST_CASE(
    "under a consumer that does not come, compression makes the same memory hold several times the rows") {
    Lane lane{4 * limits::MiB};
    lane.spawn(push_large(lane.pipe, 1'000, true));
    lane.run_until_producer_waits();
    const rows::PipeStatistics& full = lane.pipe.statistics();
    CHECK(full.held_bytes_peak <= 4 * limits::MiB);
    CHECK(full.bytes > 6 * limits::MiB);
    CHECK(full.blocks_compressed > 0);

    std::vector<Block> popped;
    lane.spawn(pop_all(lane.pipe, popped));
    lane.run();
    CHECK(lane.message().empty());
    CHECK(popped.size() == 1'000);
}

TEST_CASE("a consumer that keeps up never sees a compressed block", "[tsan]") {
    Lane lane{4 * limits::MiB};
    std::vector<Block> popped;
    lane.spawn(pop_all(lane.pipe, popped));
    lane.spawn(push_large(lane.pipe, 100, true));
    lane.run();
    CHECK(popped.size() == 100);
    CHECK(lane.pipe.statistics().blocks_compressed == 0);
}

TEST_CASE("what does not shrink stays raw, and is soon not tried any more", "[tsan]") {
    Lane lane;
    const Traffic traffic{.seed = 7, .blocks = 200, .slow_consumer_in = 1};
    std::uint64_t sent = 0, received = 0;
    lane.spawn(produce(lane.pipe, traffic, sent));
    lane.spawn(consume(lane.pipe, traffic, received));
    lane.run();
    CHECK(sent == received);
    CHECK(lane.pipe.statistics().blocks_compressed == 0);
}

namespace {

Task<void> push_spares(Pipe& pipe, int count) {
    for (int i = 0; i < count; ++i) {
        Block block = pipe.take_spare();
        block.resize(limits::block_bytes_max);
        co_await pipe.push(std::move(block));
    }
    pipe.finish();
}

Task<void> pop_to_spares(Pipe& pipe) {
    while (std::optional<Block> block = co_await pipe.pop()) pipe.give_spare(std::move(*block));
}

} // namespace

TEST_CASE("steady state allocates no blocks", "[tsan]") {
    Lane lane;
    lane.spawn(push_spares(lane.pipe, 10'000));
    lane.spawn(pop_to_spares(lane.pipe));
    lane.run();
    CHECK(lane.pipe.statistics().blocks == 10'000);
    CHECK(lane.pipe.statistics().blocks_allocated <= 16);
}
