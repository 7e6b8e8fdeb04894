// A connection to one server: libpq with waiting. Move-only; one operation at a time; lives on one event loop
// and is not thread-safe. The only class that touches libpq; its callers see rows, errors and bytes.
//
// Every operation has a deadline. After a timeout, a cancellation or a lost socket the connection is
// broken(): drop it, never reuse it. Dropping a connection with a statement running sends the server a cancel
// request from a helper thread (PQcancel blocks), so a killed run leaves nothing running.
//
// A server's error becomes Error{source or target} (the side it was opened as) with SQLSTATE, the server's
// hint, and no DETAIL or CONTEXT where these could hold row values (class 22, 23, COPY context).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/task.hpp"
#include "pq/conninfo.hpp"
#include "pq/result.hpp"

namespace pgsluice::pq {

using flow::Task;
using Duration = std::chrono::steady_clock::duration;

enum class Side { source, target };

// The session profile (reference/pgdump-security.md section 3), sent right after connecting.
struct SessionOptions {
    Side side = Side::source;
    // Source sessions are read only whatever this says: default_transaction_read_only is on.
    std::string application_name = "pgsluice";
    Duration connect_timeout{};    // zero: limits::connect_timeout_default
    Duration statement_timeout{};  // of control statements, our own deadline; zero: the default of limits.hpp
    Duration copy_stall_timeout{}; // no row moved in a COPY; zero: limits::copy_stall_timeout
    flow::Executor helpers;        // for the blocking parts of libpq: DNS in PQconnectStart, PQcancel
};

// What a notice or warning of the server said: GRANTs that change nothing are only told by these (01006,
// 01007).
struct Notice {
    std::string severity, sqlstate, message;
};

// What copy_out() expects. In text a row that is exactly `\.` or holds a raw newline before its end comes
// from no sane server (a hostile one would end our COPY with it, and have its next row run as SQL by whoever
// reads a script): refused.
enum class CopyFormat { text, binary };

class CopyOut;
class CopyIn;

class Connection {
public:
    // Connects, runs the pooler test of rules.md 8 before any SET (PQbackendPID against pg_backend_pid();
    // where they differ, the test with a second connection), refuses servers that are too old, then the
    // session profile. Both arguments are copied at once.
    static Task<Connection> open(const Conninfo& conninfo, const SessionOptions& options);

    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    // One statement, or several separated by semicolons where no rows are wanted. `limit` zero:
    // statement_timeout.
    Task<void> command(std::string sql, Duration limit = {});
    Task<Rows> rows(std::string sql, Duration limit = {}); // exactly one statement, any number of rows
    Task<std::string> value(std::string sql, Duration limit = {}); // exactly 1 x 1, else Error{internal}
    // Parameters as $1, $2 in text form; a value is bytes without NUL.
    Task<Rows> rows_with(std::string sql, std::vector<std::string> parameters, Duration limit = {});

    // COPY ... TO STDOUT / FROM STDIN. The returned object is the operation: finish it before the next one.
    Task<CopyOut> copy_out(std::string sql, CopyFormat format = CopyFormat::text);
    Task<CopyIn> copy_in(std::string sql);

    // Notices since the last call.
    std::vector<Notice> take_notices();

    bool in_transaction() const; // between BEGIN and its end, failed or not
    int backend_pid() const;
    int server_version() const;          // 150018
    std::string server_encoding() const; // "UTF8": of the database
    Side side() const;
    const Conninfo& conninfo() const; // with the password that was found, for other databases of this server
    std::string tls() const;          // "TLSv1.3", "" for none
    bool broken() const;
    bool usable() const { return !broken(); }
    // True when a pooler in session mode stands between: allowed, but its server may be handed on.
    bool behind_pooler() const;
    // Statements sent since open() was called, its own included.
    std::uint64_t queries_sent() const;
    // The largest COPY row that passed: libpq keeps a buffer of twice that (rules.md 11).
    std::size_t largest_row_bytes() const;

    struct State;
    explicit Connection(std::unique_ptr<State> state);
    State* state() const { return state_.get(); } // for the other files of this room

private:
    std::unique_ptr<State> state_;
};

// The transaction-pooler test that needs two connections: one of them inside a transaction, the other must
// neither report the same server process nor find itself on another one than before. Throws Error{refused}.
// open() runs it when the process ids give a pooler away; this is for poolers that hide.
Task<void> refuse_transaction_pooler(Connection& first, const Conninfo& conninfo,
                                     const SessionOptions& options);

// Rows from the server as a stream of bytes, read like a file. Not one await per row: read() takes all that
// has arrived, up to `capacity`, and waits only when there is nothing. A row larger than that comes in
// several reads.
class CopyOut {
public:
    CopyOut(Connection::State& state, CopyFormat format) : state_(&state), format_(format) {}
    CopyOut(CopyOut&&) noexcept;
    CopyOut& operator=(CopyOut&&) = delete;
    ~CopyOut(); // abandoned before the end: the connection is broken
    // The number of bytes written to `into`; 0 at the end of the stream. While nobody reads, rows wait in the
    // socket: this is the backpressure towards the source. No byte within limits::copy_stall_timeout is an
    // error.
    Task<std::size_t> read(char* into, std::size_t capacity);
    std::uint64_t rows_seen() const { return rows_seen_; } // messages so far: a row each in text format
    std::uint64_t rows() const { return rows_; }           // after the end: the number in the COPY tag

private:
    // What is there without waiting: the bytes copied, and in `ended_` whether libpq saw the end.
    std::size_t take(char* into, std::size_t capacity);
    void check_row() const;

    Connection::State* state_;
    CopyFormat format_;
    char* row_ = nullptr; // libpq's, not yet handed out whole
    std::size_t row_size_ = 0, row_at_ = 0;
    std::uint64_t rows_seen_ = 0, rows_ = 0;
    bool ended_ = false;
    int reads_in_a_row_ = 0;
};

// Bytes to the server. put() returns only when libpq has handed all of it to the kernel, so memory stays
// bounded.
class CopyIn {
public:
    explicit CopyIn(Connection::State& state) : state_(&state) {}
    CopyIn(CopyIn&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    CopyIn& operator=(CopyIn&&) = delete;
    ~CopyIn(); // abandoned before the end: the connection is broken
    // Any length; sent in slices of limits::copy_slice_bytes. A server that has given up is noticed within
    // about a second and its error thrown, not after the last byte.
    Task<void> put(std::string_view bytes);
    Task<std::uint64_t> finish(); // the number of rows in the COPY tag
    // Ends the COPY so that the server keeps nothing; the connection stays usable.
    Task<void> fail(std::string reason);

private:
    Task<void> notice_answer(); // throws the server's error when it has given up
    Task<std::uint64_t> end(const char* reason);

    Connection::State* state_;
    int puts_in_a_row_ = 0;
    std::chrono::steady_clock::time_point answered_{}; // when something came that was no notice
    std::size_t notices_seen_ = 0;
};

} // namespace pgsluice::pq
