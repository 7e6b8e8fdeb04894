#include "rows/copy.hpp"

#include <exception>
#include <string_view>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "flow/join.hpp"

namespace pgsluice::rows {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto progress_every = std::chrono::milliseconds(250);

// What the two ends of one copy share; lives in the frame of copy_range, which outlives both.
struct Copy {
    Copy(const CopyOptions& wanted)
        : options(wanted), pipe(wanted.loop, wanted.helpers, *wanted.budget),
          consumer_ended(wanted.loop, Clock::time_point::max()) {}

    void report(bool at_the_end) {
        if (!options.progress) return;
        const Clock::time_point now = Clock::now();
        if (!at_the_end && now < next_report) return;
        next_report = now + progress_every;
        options.progress(result.bytes, rows_seen);
    }

    const CopyOptions& options;
    Pipe pipe;
    CopyResult result;
    std::uint64_t rows_seen = 0;
    Clock::time_point next_report = Clock::now() + progress_every;
    asio::steady_timer consumer_ended; // never expires by itself; cancelled when the consumer is through
    bool consumer_done = false;
};

Task<void> read_rows(Copy* copy, pq::Connection* source) {
    const Format format = copy->options.format;
    const auto wire = format == Format::binary ? pq::CopyFormat::binary : pq::CopyFormat::text;
    pq::CopyOut out =
        co_await source->copy_out(copy_out_sql(*copy->options.table, copy->options.range, format), wire);
    for (bool more = true; more;) {
        Block block = copy->pipe.take_spare();
        block.resize(limits::block_bytes_max);
        std::size_t filled = 0;
        // Whole blocks: fewer turns, better compression, and no block is mostly air.
        while (more && filled < block.size()) {
            const std::size_t bytes = co_await out.read(block.data() + filled, block.size() - filled);
            filled += bytes;
            more = bytes > 0;
        }
        copy->rows_seen = out.rows_seen();
        block.resize(filled);
        co_await copy->pipe.push(std::move(block));
    }
    copy->result.rows_sent = copy->rows_seen = out.rows();
    copy->pipe.finish();
}

// Gives the consumer time to end the target's COPY in good order, so that its connection stays usable.
Task<void> wait_for_consumer(Copy* copy) {
    if (copy->consumer_done) co_return;
    copy->consumer_ended.expires_after(limits::cancel_timeout);
    boost::system::error_code ended;
    co_await copy->consumer_ended.async_wait(asio::redirect_error(asio::use_awaitable, ended));
}

// A failure goes through the pipe first. Throwing at once would have join() cancel the consumer in the middle
// of a message, which breaks the target connection.
Task<void> produce(Copy* copy, pq::Connection* source) {
    std::exception_ptr why;
    try {
        co_await read_rows(copy, source);
    } catch (...) {
        why = std::current_exception();
    }
    if (!why) co_return;
    copy->pipe.fail(why);
    co_await wait_for_consumer(copy);
    std::rethrow_exception(why);
}

Task<void> write_rows(Copy* copy, pq::CopyIn* in) {
    for (;;) {
        std::optional<Block> block = co_await copy->pipe.pop();
        if (!block) break;
        co_await in->put(std::string_view(block->data(), block->size()));
        copy->result.bytes += block->size();
        copy->pipe.give_spare(std::move(*block));
        copy->report(false);
    }
    copy->result.rows_received = co_await in->finish();
}

Task<void> write_table(Copy* copy, pq::Connection* target) {
    const CopyOptions& options = copy->options;
    pq::CopyIn in = co_await target->copy_in(
        copy_in_sql(*options.table, options.format, options.root_schema, options.root_name));
    std::exception_ptr why;
    try {
        co_await write_rows(copy, &in);
    } catch (...) {
        why = std::current_exception();
    }
    if (!why) co_return;
    // Does nothing when the target itself ended the COPY. Its own failure here would hide the cause.
    try {
        co_await in.fail("the source of the rows failed");
    } catch (...) {
    }
    std::rethrow_exception(why);
}

Task<void> consume(Copy* copy, pq::Connection* target) {
    std::exception_ptr why;
    try {
        co_await write_table(copy, target);
    } catch (...) {
        why = std::current_exception();
    }
    copy->consumer_done = true;
    copy->consumer_ended.cancel();
    if (!why) co_return;
    copy->pipe.fail(why);
    std::rethrow_exception(why); // join() cancels a producer that waits for the source
}

} // namespace

Task<CopyResult> copy_range(pq::Connection& source, pq::Connection& target, const CopyOptions& options) {
    Copy copy{options};
    co_await flow::join(produce(&copy, &source), consume(&copy, &target));
    copy.result.pipe = copy.pipe.statistics();
    copy.report(true);
    if (copy.result.rows_sent != copy.result.rows_received) {
        throw Error{ErrorKind::verification, "the source sent " + std::to_string(copy.result.rows_sent) +
                                                 " rows, the target took " +
                                                 std::to_string(copy.result.rows_received)}
            .object("table " + options.table->schema + "." + options.table->name);
    }
    co_return copy.result;
}

} // namespace pgsluice::rows
