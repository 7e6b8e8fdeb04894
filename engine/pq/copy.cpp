// COPY OUT and COPY IN: bytes through libpq with real backpressure in both directions.
#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "pq/server_error.hpp"
#include "pq/state.hpp"

namespace pgsluice::pq {

namespace {

// A fast peer could keep one lane busy without a single wait; its loop has timers and other lanes to serve.
constexpr int turns_between_yields = 16;

Task<void> let_others_run() { co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); }

// Sends a COPY statement; on return libpq is in the copy state that was wanted.
Task<void> begin_copy(Connection::State* state, std::string sql, ExecStatusType wanted, bool binary) {
    if (sql.find('\0') != std::string::npos) throw Error{ErrorKind::internal, "a statement holds a NUL byte"};
    Operation operation(*state);
    state->sent(PQsendQuery(state->raw(), sql.c_str()));
    // Not the limit of statements: the server keeps its answer back until the first rows fill its buffer.
    state->watchdog->start(state->stall_limit());
    try {
        co_await state->flush();
        PGresult* first = co_await state->next_result();
        const std::shared_ptr<PGresult> result(first, PQclear);
        const ExecStatusType status = PQresultStatus(first);
        if (status != wanted) {
            if (status == PGRES_FATAL_ERROR) {
                const char* code = PQresultErrorField(first, PG_DIAG_SQLSTATE);
                if (!code) state->lost();
                Error error = server_error(first, state->side(), false);
                if (ends_session(code)) state->broken = true;
                co_await state->collect();
                operation.ended();
                throw error;
            }
            state->broken = true;
            throw Error{ErrorKind::internal, "a statement that should begin a COPY did something else"};
        }
        // The caller says which format it wants: a server that sends the other one would get around the row
        // check.
        if (wanted == PGRES_COPY_OUT && (PQbinaryTuples(first) != 0) != binary) {
            state->broken = true;
            throw Error{ErrorKind::source, "the server sends rows in another format than it was asked for"};
        }
    } catch (const Error&) {
        if (!state->broken && !operation.done) operation.ended();
        throw;
    }
    state->in_copy = true;
    state->answered = false;
    state->watchdog->progress();
    operation.keep = true;
}

// After the last row or a failure: reads to the end, throws the server's error, returns the number in the
// COPY tag.
Task<std::uint64_t> end_copy(Connection::State* state) {
    struct Ended {
        Connection::State* state;
        bool well = false;
        ~Ended() {
            state->in_copy = state->busy = false;
            state->watchdog->stop();
            if (!well) state->broken = true;
        }
    } ended{state};
    try {
        const Results results = co_await state->collect();
        ended.well = true;
        if (results.size() != 1) {
            state->broken = true;
            throw Error{ErrorKind::internal, "a COPY ended with several answers or none"};
        }
        co_return Rows(results.front()).rows_affected();
    } catch (const Error&) {
        ended.well = !state->broken;
        throw;
    }
}

Task<CopyOut> start_copy_out(Connection::State* state, std::string sql, CopyFormat format) {
    co_await begin_copy(state, std::move(sql), PGRES_COPY_OUT, format == CopyFormat::binary);
    co_return CopyOut(*state, format);
}

Task<CopyIn> start_copy_in(Connection::State* state, std::string sql) {
    co_await begin_copy(state, std::move(sql), PGRES_COPY_IN, false);
    co_return CopyIn(*state);
}

// The end of an operation that nobody finished.
void abandon(Connection::State* state) {
    if (!state || !state->in_copy) return;
    state->in_copy = state->busy = false;
    state->broken = true;
    state->watchdog->stop();
}

} // namespace

Task<CopyOut> Connection::copy_out(std::string sql, CopyFormat format) {
    return start_copy_out(state_.get(), std::move(sql), format);
}

Task<CopyIn> Connection::copy_in(std::string sql) { return start_copy_in(state_.get(), std::move(sql)); }

CopyOut::CopyOut(CopyOut&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), format_(other.format_),
      row_(std::exchange(other.row_, nullptr)), row_size_(other.row_size_), row_at_(other.row_at_),
      rows_seen_(other.rows_seen_), rows_(other.rows_), ended_(other.ended_), reads_in_a_row_(0) {}

CopyOut::~CopyOut() {
    PQfreemem(row_);
    if (!ended_) abandon(state_);
}

void CopyOut::check_row() const {
    if (format_ == CopyFormat::binary) return;
    const std::string_view row(row_, row_size_);
    const bool end_mark = row == "\\.\n" || row == "\\." || row == "\\.\r\n";
    const void* newline = std::memchr(row_, '\n', row_size_);
    const bool inside = newline && static_cast<const char*>(newline) + 1 != row_ + row_size_;
    if (!end_mark && !inside) return;
    state_->broken = true;
    throw Error{ErrorKind::source,
                "the server sent a row that no server sends: an end mark or a line break in it"}
        .hint("do not trust this server, or whatever stands between it and us");
}

std::size_t CopyOut::take(char* into, std::size_t capacity) {
    std::size_t filled = 0;
    while (filled < capacity && (row_ || !ended_)) {
        if (!row_) {
            const int size = PQgetCopyData(state_->raw(), &row_, 1);
            if (size == 0) break;
            if (size < 0) { // -1 the end, -2 an error; the results tell which
                ended_ = true;
                break;
            }
            row_size_ = static_cast<std::size_t>(size);
            row_at_ = 0;
            ++rows_seen_;
            state_->largest_row = std::max(state_->largest_row, row_size_);
            check_row();
        }
        const std::size_t bytes = std::min(capacity - filled, row_size_ - row_at_);
        std::memcpy(into + filled, row_ + row_at_, bytes);
        filled += bytes;
        row_at_ += bytes;
        if (row_at_ == row_size_) PQfreemem(std::exchange(row_, nullptr));
    }
    return filled;
}

Task<std::size_t> CopyOut::read(char* into, std::size_t capacity) {
    if (!state_->in_copy) co_return 0;
    if (state_->broken) throw Error{ErrorKind::connection, "the connection was broken before"};
    state_->watchdog->progress(); // the time in which nobody read is not the server's
    if (++reads_in_a_row_ >= turns_between_yields) {
        reads_in_a_row_ = 0;
        co_await let_others_run();
    }
    std::size_t filled = take(into, capacity);
    while (!ended_ && filled < capacity) {
        // More may have arrived: asking costs one call, waiting costs several.
        state_->consume();
        const std::size_t more = take(into + filled, capacity - filled);
        filled += more;
        if (more > 0 || ended_) continue;
        if (filled > 0) break;
        reads_in_a_row_ = 0;
        co_await state_->readable();
        state_->watchdog->progress();
    }
    if (filled == 0 && ended_) rows_ = co_await end_copy(state_);
    co_return filled;
}

CopyIn::~CopyIn() { abandon(state_); }

// A server that refuses a row says so at once and then swallows what we send: libpq shows that only at the
// end, which may be hours away. What libpq takes in while we send is a notice (it hands those out), or this.
// It may be half a notice, so a second passes first.
Task<void> CopyIn::notice_answer() {
    if (state_->something_to_read()) {
        state_->answered = true;
        state_->consume();
    }
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(state_->answered, false) && answered_ == decltype(answered_){}) answered_ = now;
    if (answered_ == decltype(answered_){}) co_return;
    PQisBusy(state_->raw()); // has libpq look at what it holds
    if (std::exchange(notices_seen_, state_->notices_seen) != state_->notices_seen) {
        answered_ = {};
    } else if (now - answered_ > limits::copy_answer_patience) {
        co_await end("the server has answered already");
    }
}

Task<void> CopyIn::put(std::string_view bytes) {
    if (!state_->in_copy || state_->broken)
        throw Error{ErrorKind::connection, "the connection was broken before"};
    while (!bytes.empty()) {
        state_->watchdog->progress();
        const std::string_view slice = bytes.substr(0, limits::copy_slice_bytes);
        const int taken = PQputCopyData(state_->raw(), slice.data(), static_cast<int>(slice.size()));
        if (taken < 0) state_->lost();
        // 0 is rare: libpq could not even grow its buffer. Flushing makes room.
        if (taken > 0) bytes.remove_prefix(slice.size());
        co_await state_->flush();
        co_await notice_answer();
        if (++puts_in_a_row_ >= turns_between_yields) {
            puts_in_a_row_ = 0;
            co_await let_others_run();
        }
    }
}

Task<std::uint64_t> CopyIn::end(const char* reason) {
    state_->watchdog->progress();
    for (int ended = 0; ended == 0;) {
        ended = PQputCopyEnd(state_->raw(), reason);
        if (ended < 0) state_->lost();
        co_await state_->flush();
    }
    const std::uint64_t rows = co_await end_copy(state_);
    co_return rows;
}

Task<std::uint64_t> CopyIn::finish() {
    if (!state_->in_copy || state_->broken)
        throw Error{ErrorKind::connection, "the connection was broken before"};
    return end(nullptr);
}

Task<void> CopyIn::fail(std::string reason) {
    if (!state_->in_copy || state_->broken) co_return; // nothing left to end
    try {
        co_await end(reason.c_str());
    } catch (const Error&) {
        if (state_->broken) throw; // else the failure that we asked for
    }
}

} // namespace pgsluice::pq
