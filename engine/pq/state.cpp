#include "pq/state.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/limits.hpp"
#include "base/size.hpp"
#include "flow/deadline.hpp"
#include "pq/cancel.hpp"
#include "pq/server_error.hpp"

namespace pgsluice::pq {

void Watchdog::start(Duration limit) {
    limit_ = limit;
    progress();
    arm();
}

void Watchdog::arm() {
    timer.expires_at(deadline);
    timer.async_wait([weak = weak_from_this()](boost::system::error_code code) {
        const auto self = weak.lock();
        if (code || !self || self->deadline == TimePoint::max()) return;
        if (std::chrono::steady_clock::now() < self->deadline) return self->arm();
        self->expired = true;
        self->socket.cancel(code);
    });
}

void Watchdog::close() {
    stop();
    timer.cancel();
    unwatch();
}

void Watchdog::watch(int libpq_socket) {
    unwatch();
    const int own = ::fcntl(libpq_socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0) throw boost::system::system_error(errno, boost::system::system_category());
    socket.assign(own);
}

void Watchdog::unwatch() {
    boost::system::error_code ignored;
    if (socket.is_open()) socket.close(ignored);
}

Connection::State::~State() {
    if (watchdog) watchdog->close();
    if (handle && running) cancel_in_background(handle.get(), options.helpers);
}

void Connection::State::lost() {
    broken = true;
    throw lost_connection(raw(), side());
}

void Connection::State::interrupted(boost::system::error_code code) {
    broken = true;
    if (watchdog->expired) {
        std::string what = "no answer from the " + std::string(side_name(side()));
        if (in_copy) what = "no row has moved to or from the " + std::string(side_name(side()));
        throw flow::TimedOut{what + " within the time allowed"};
    }
    throw boost::system::system_error(code);
}

void Connection::State::consume() {
    if (PQconsumeInput(raw()) == 0) lost();
    // With TLS a part of a record may stay inside OpenSSL, where no wait on the socket sees it. A record has
    // at most 16 KiB and each call takes at least 8.
    if (PQsslInUse(raw()))
        for (int i = 0; i < 2; ++i)
            if (PQconsumeInput(raw()) == 0) lost();
}

Task<void> Connection::State::readable() {
    if (watchdog->expired) interrupted({});
    boost::system::error_code code;
    co_await watchdog->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                         asio::redirect_error(asio::use_awaitable, code));
    if (code) interrupted(code);
}

Task<void> Connection::State::flush() {
    for (int left = PQflush(raw()); left != 0; left = PQflush(raw())) {
        if (left < 0) lost();
        if (watchdog->expired) interrupted({});
        auto& socket = watchdog->socket;
        auto group = asio::experimental::make_parallel_group(
            socket.async_wait(asio::posix::stream_descriptor::wait_write, asio::deferred),
            socket.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred));
        const auto [order, write_code, read_code] =
            co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
        if (write_code && read_code) interrupted(write_code);
        // Read too: a server that waits for us to take its notices would never take our data.
        if (read_code) continue;
        answered = true;
        consume();
    }
}

Task<PGresult*> Connection::State::next_result() {
    while (PQisBusy(raw())) {
        co_await readable();
        consume();
    }
    co_return PQgetResult(raw());
}

Task<Results> Connection::State::collect() {
    Results results;
    std::shared_ptr<PGresult> failure;
    // Until null, always: the connection is of no use before. A lost connection may show as one result more.
    for (;;) {
        PGresult* next = co_await next_result();
        if (!next) break;
        std::shared_ptr<PGresult> result(next, PQclear);
        const ExecStatusType status = PQresultStatus(next);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            if (!failure) failure = std::move(result);
        } else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            broken = true; // libpq would hand out this result for ever
            throw Error{ErrorKind::internal, "a COPY was sent as an ordinary statement"};
        } else {
            results.push_back(std::move(result));
        }
        if (PQstatus(raw()) == CONNECTION_BAD) break;
    }
    const bool alive = PQstatus(raw()) != CONNECTION_BAD;
    running = running && !alive;
    if (failure) {
        const char* code = PQresultErrorField(failure.get(), PG_DIAG_SQLSTATE);
        if (!alive || !code || ends_session(code)) broken = true;
        if (!code) lost(); // libpq's own words, no server's
        throw server_error(failure.get(), side(), in_copy);
    }
    if (!alive) lost();
    co_return results;
}

void Connection::State::sent(int success) {
    ++queries;
    if (!success) lost();
    running = true;
}

Duration Connection::State::limit_or_default(Duration limit) const {
    if (limit != Duration::zero()) return limit;
    if (options.statement_timeout != Duration::zero()) return options.statement_timeout;
    return limits::statement_timeout_default;
}

Duration Connection::State::stall_limit() const {
    if (options.copy_stall_timeout != Duration::zero()) return options.copy_stall_timeout;
    return limits::copy_stall_timeout;
}

bool Connection::State::something_to_read() const {
    pollfd socket{PQsocket(raw()), POLLIN, 0};
    return ::poll(&socket, 1, 0) > 0;
}

Task<Results> Connection::State::simple(std::string sql, Duration limit) {
    if (sql.find('\0') != std::string::npos) throw Error{ErrorKind::internal, "a statement holds a NUL byte"};
    Operation operation(*this);
    sent(PQsendQuery(raw(), sql.c_str()));
    watchdog->start(limit_or_default(limit));
    try {
        co_await flush();
        Results results = co_await collect();
        operation.ended();
        co_return results;
    } catch (const Error&) {
        if (!broken) operation.ended();
        throw;
    }
}

Operation::Operation(Connection::State& of) : state(of) {
    if (state.busy)
        throw Error{ErrorKind::internal, "a connection was given a second operation while one is on"};
    if (state.broken || !state.handle)
        throw Error{ErrorKind::connection,
                    "the connection to the " + std::string(side_name(state.side())) + " was broken before"};
    state.busy = true;
}

void Operation::ended() {
    done = true;
    state.watchdog->stop();
}

Operation::~Operation() {
    if (keep) return;
    state.busy = false;
    if (!done) state.broken = true;
}

} // namespace pgsluice::pq
