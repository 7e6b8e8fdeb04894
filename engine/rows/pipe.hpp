// The bounded buffer of a lane: one producer and one consumer on one event loop. Raw blocks while the
// consumer keeps up; when what is held passes the mark, the producer has its blocks zstd-compressed on a
// helper thread, so the same bytes hold several times the rows. push waits while full; finish travels in the
// stream; fail stops both ends and the first failure wins.
//
// What is held is counted as allocated (a vector's capacity), from the moment push may go on, so a block that
// is being compressed counts as raw, until the consumer has it raw in its hands. The blocks that the two ends
// work on and the few spares are theirs, not the pipe's.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "flow/task.hpp"
#include "rows/budget.hpp"

namespace pgsluice::rows {

using flow::Task;
using Block = std::vector<char>; // raw bytes, at most limits::block_bytes_max

struct PipeStatistics {
    std::uint64_t blocks = 0, blocks_compressed = 0;
    std::uint64_t bytes = 0;         // raw bytes pushed
    std::size_t held_bytes_peak = 0; // as held, compressed or not
    std::uint64_t producer_waits = 0, consumer_waits = 0;
    std::uint64_t blocks_allocated = 0; // times that take_spare() had none
};

class Pipe {
public:
    // What is pushed and popped must happen on `loop`.
    Pipe(const flow::Executor& loop, flow::Executor helpers, Budget& budget);
    ~Pipe();
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    // Waits while full, and gives the loop a turn; throws the consumer's failure. An empty block is nothing.
    // Cancelled while it waits, it throws operation_aborted and the block is not in the pipe.
    Task<void> push(Block block);
    void finish();                    // everything pushed before is still delivered
    Task<std::optional<Block>> pop(); // raw again; nothing after finish(); throws the producer's failure
    void fail(std::exception_ptr why);
    // A used block to fill again, so that steady state allocates nothing. Its size is what it was; grow it
    // only if it is too small, as growing writes zeros.
    Block take_spare();
    void give_spare(Block block);
    const PipeStatistics& statistics() const { return statistics_; }

private:
    struct Held {
        Block bytes;            // raw, or a zstd frame
        std::size_t charge = 0; // what it counts for
        bool compressed = false;
    };
    // Whether blocks are worth compressing: pauses grow while they are not.
    struct Worth {
        std::uint32_t skip = 0, pause = 0;
        bool try_now();
        void learn(bool shrank);
    };

    bool try_reserve(std::size_t bytes);
    void release(std::size_t bytes);
    Task<void> reserve(std::size_t bytes);
    Task<void> compress(Held& held);
    bool past_mark() const;
    void refuse_failed() const;

    flow::Executor helpers_;
    Budget& budget_;
    std::deque<Held> held_;
    std::size_t held_bytes_ = 0, from_budget_ = 0;
    bool finished_ = false, producer_waits_ = false, consumer_waits_ = false;
    std::exception_ptr failure_;
    asio::steady_timer can_push_, can_pop_;
    std::vector<Block> spares_;
    std::size_t spare_bytes_ = 0;
    Worth worth_;
    PipeStatistics statistics_;
};

} // namespace pgsluice::rows
