// What a connection is inside: libpq's handle, a descriptor beside libpq's own for its socket, and a
// watchdog. Only pq/*.cpp includes this.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <libpq-fe.h>

#include "pq/connection.hpp"

namespace pgsluice::pq {

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Handle = std::unique_ptr<PGconn, Finish>;

// Interrupts a wait at the deadline. One timer serves a whole COPY: progress only moves the deadline, and the
// timer looks at it when it fires.
struct Watchdog : std::enable_shared_from_this<Watchdog> {
    using TimePoint = std::chrono::steady_clock::time_point;
    explicit Watchdog(const flow::Executor& loop) : socket(loop), timer(loop) {}
    void start(Duration limit);
    void progress() { deadline = std::chrono::steady_clock::now() + limit_; }
    void stop() { deadline = TimePoint::max(); }
    void close();

    // Watches libpq's socket through a descriptor of its own: when a server goes, libpq closes its one
    // without a word, and the number may be another connection's before we look again.
    void watch(int libpq_socket);
    void unwatch();

    asio::posix::stream_descriptor socket;
    bool expired = false;

private:
    void arm();
    asio::steady_timer timer;
    TimePoint deadline = TimePoint::max();
    Duration limit_{};
};

using Results = std::vector<std::shared_ptr<PGresult>>;

struct Connection::State {
    State(Conninfo conninfo_of, SessionOptions options_of)
        : conninfo(std::move(conninfo_of)), options(std::move(options_of)) {}
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    PGconn* raw() const { return handle.get(); }
    Side side() const { return options.side; }

    // Waits; a timeout, a cancellation or a lost socket breaks the connection and throws.
    Task<void> readable();
    Task<void> flush(); // until libpq has nothing left to send; reads too, or both sides could wait
    Task<PGresult*> next_result(); // null: none left
    Task<Results> collect();       // reads results until null; throws the first error among them
    void consume();                // what has arrived, into libpq
    void sent(int success);        // of PQsendQuery and its kin
    [[noreturn]] void lost();
    [[noreturn]] void interrupted(boost::system::error_code code);
    Duration limit_or_default(Duration limit) const;
    Duration stall_limit() const;
    bool something_to_read() const; // without waiting
    // One simple query, all its results.
    Task<Results> simple(std::string sql, Duration limit);

    Handle handle;
    std::shared_ptr<Watchdog> watchdog;
    Conninfo conninfo;
    SessionOptions options;
    std::vector<Notice> notices;
    std::size_t notices_seen = 0, largest_row = 0;
    bool answered = false; // something arrived while we were sending; CopyIn looks at it
    std::uint64_t queries = 0;
    bool broken = false;
    bool busy = false;    // an operation is on; a COPY from its start to its end
    bool running = false; // the server may be computing for us
    bool in_copy = false;
    bool pooler = false;
    int server_pid = 0; // as the server says: a pooler makes up its own
};

// The scope of one operation: refuses a second one, and breaks the connection unless it ends well. A server's
// error is a good end: all results were read.
struct Operation {
    explicit Operation(Connection::State& state);
    ~Operation();
    void ended(); // nothing is left to read

    Connection::State& state;
    bool keep = false; // a COPY began: the operation goes on in CopyOut or CopyIn
    bool done = false;
};

// Free, because coroutines with references to temporaries dangle: the state's address never changes.
Task<void> apply_session_profile(Connection::State* state);
Task<void> connect(Connection::State* state);
Task<void> pooler_test(Connection::State* first, Conninfo conninfo, SessionOptions options);
Task<int> server_pid(Connection::State* state);

} // namespace pgsluice::pq
