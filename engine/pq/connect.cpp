// From a connection string to a session: sockets, the pooler test, the server's version, the session profile.
#include <charconv>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/limits.hpp"
#include "base/size.hpp"
#include "flow/deadline.hpp"
#include "flow/offload.hpp"
#include "pq/server_error.hpp"
#include "pq/session.hpp"
#include "pq/state.hpp"

namespace pgsluice::pq {

namespace {

// What a helper thread works on: it owns all that it uses, so a caller that was cancelled may leave it
// behind.
struct Attempt {
    std::map<std::string, std::string> values;
    Handle handle;
    PostgresPollingStatusType polled = PGRES_POLLING_WRITING;

    void start() {
        std::vector<const char*> keywords, texts;
        for (const auto& [keyword, value] : values) {
            keywords.push_back(keyword.c_str());
            texts.push_back(value.c_str());
        }
        keywords.push_back(nullptr);
        texts.push_back(nullptr);
        handle.reset(PQconnectStartParams(keywords.data(), texts.data(), 0));
        // Verbose for the SQLSTATE: libpq gives a failed login's in no other way.
        if (handle) PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
    }
};

std::map<std::string, std::string> startup_values(const Conninfo& conninfo) {
    std::map<std::string, std::string> values = conninfo.values();
    // Settings go by SET, after the pooler test: poolers refuse startup parameters that they do not know.
    for (const char* keyword :
         {"application_name", "fallback_application_name", "replication", "client_encoding"})
        values.erase(keyword);
    // A peer that is gone is noticed in about 90 s, also by a lane that only waits.
    const std::pair<const char*, const char*> defaults[] = {{"keepalives", "1"},
                                                            {"keepalives_idle", "30"},
                                                            {"keepalives_interval", "10"},
                                                            {"keepalives_count", "6"},
                                                            {"tcp_user_timeout", "90000"}};
    for (const auto& [keyword, value] : defaults) values.try_emplace(keyword, value);
    return values;
}

Duration connect_limit(const Conninfo& conninfo, const SessionOptions& options) {
    if (options.connect_timeout != Duration::zero()) return options.connect_timeout;
    const std::string given = conninfo.get("connect_timeout").value_or("");
    int seconds = 0;
    std::from_chars(given.data(), given.data() + given.size(), seconds);
    if (seconds > 0) return std::chrono::seconds(seconds);
    return limits::connect_timeout_default;
}

void record_notice(void* to, const PGresult* result) {
    auto& state = *static_cast<Connection::State*>(to);
    ++state.notices_seen;
    if (state.notices.size() >= limits::notices_kept_max) return;
    const auto field = [result](int code) {
        const char* text = PQresultErrorField(result, code);
        return std::string(text ? text : "");
    };
    state.notices.push_back(
        {field(PG_DIAG_SEVERITY_NONLOCALIZED), field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY)});
}

// DNS in PQconnectStart and, for a second host, in PQconnectPoll blocks; so do some ways to authenticate.
Task<void> on_helper(flow::Executor helpers, std::function<void()> job) {
    if (helpers)
        co_await flow::run_on_helper_abandoning(std::move(helpers), std::move(job));
    else
        job();
}

Task<void> establish(Connection::State* state) {
    auto attempt = std::make_shared<Attempt>();
    attempt->values = startup_values(state->conninfo);
    std::function<void()> start = [attempt] { attempt->start(); };
    co_await on_helper(state->options.helpers, start);
    if (!attempt->handle) throw std::bad_alloc();
    std::function<void()> poll = [attempt] { attempt->polled = PQconnectPoll(attempt->handle.get()); };
    while (PQstatus(attempt->handle.get()) != CONNECTION_BAD) {
        boost::system::error_code code;
        {
            // Anew each time: TLS or the next host may have changed the socket under the same number.
            state->watchdog->watch(PQsocket(attempt->handle.get()));
            const auto wanted = attempt->polled == PGRES_POLLING_READING
                                    ? asio::posix::stream_descriptor::wait_read
                                    : asio::posix::stream_descriptor::wait_write;
            co_await state->watchdog->socket.async_wait(wanted,
                                                        asio::redirect_error(asio::use_awaitable, code));
            state->watchdog->unwatch();
        }
        if (code) throw boost::system::system_error(code);
        co_await on_helper(state->options.helpers, poll);
        if (attempt->polled == PGRES_POLLING_OK || attempt->polled == PGRES_POLLING_FAILED) break;
    }
    if (PQstatus(attempt->handle.get()) != CONNECTION_OK)
        throw connect_error(PQerrorMessage(attempt->handle.get()), state->side(), state->conninfo);
    state->handle = std::move(attempt->handle);
    PQsetErrorVerbosity(state->raw(), PQERRORS_DEFAULT);
    PQsetNoticeReceiver(state->raw(), record_notice, state);
    PQsetnonblocking(state->raw(), 1);
    state->watchdog->watch(PQsocket(state->raw()));
    if (const char* password = PQpass(state->raw()); password && *password)
        state->conninfo = state->conninfo.with_password(password);
    state->conninfo = state->conninfo.with("user", PQuser(state->raw())).with("dbname", PQdb(state->raw()));
}

Error transaction_pooler(const Conninfo& conninfo, Side side) {
    Error error{ErrorKind::refused, "between us and the " + std::string(side_name(side)) + " (" +
                                        conninfo.display() +
                                        ") stands a connection pooler in transaction mode"};
    return error.hint("give the host and port of the server itself, or of a pooler in session mode");
}

} // namespace

Task<void> connect(Connection::State* state) {
    state->watchdog = std::make_shared<Watchdog>(co_await asio::this_coro::executor);
    const Duration limit = connect_limit(state->conninfo, state->options);
    const bool in_time = co_await flow::ends_within(establish(state), limit);
    if (in_time) co_return;
    const std::string text = "timeout expired after " + format_length(limit);
    throw connect_error(text, state->side(), state->conninfo);
}

Task<int> server_pid(Connection::State* state) {
    const Results results = co_await state->simple("select pg_catalog.pg_backend_pid()", {});
    if (results.size() != 1 || PQntuples(results[0].get()) != 1 || PQnfields(results[0].get()) != 1)
        throw Error{ErrorKind::internal, "pg_backend_pid() gave no single value"};
    const std::string_view text = PQgetvalue(results[0].get(), 0, 0);
    int pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    co_return pid;
}

// Both ways round: whoever is inside a transaction keeps its server process, and in transaction mode the
// other one then meets the same process or is moved to another. Nothing is set, nothing is left behind.
Task<void> pooler_test(Connection::State* first, Conninfo conninfo, SessionOptions options) {
    const int before = co_await server_pid(first);
    Connection::State second(std::move(conninfo), std::move(options));
    co_await connect(&second);
    const int second_before = co_await server_pid(&second);
    co_await second.simple("begin", {});
    const int inside = co_await server_pid(&second);
    const int meanwhile = co_await server_pid(first);
    co_await second.simple("rollback", {});
    if (inside == before || second_before == before || meanwhile != before || meanwhile == inside)
        throw transaction_pooler(second.conninfo, first->side());
}

Task<void> apply_session_profile(Connection::State* state) {
    const int version = PQserverVersion(state->raw());
    if (version < limits::server_version_min) {
        Error error{ErrorKind::refused, "the " + std::string(side_name(state->side())) + " runs PostgreSQL " +
                                            std::to_string(version / 10000) + ", which is too old"};
        throw error.hint("PostgreSQL " + std::to_string(limits::server_version_min / 10000) +
                         " or later is needed");
    }
    co_await state->simple(session_profile(state->side(), version, state->options.application_name), {});
    const std::string check = connection_check(state->side(), version);
    if (check.empty()) co_return;
    try {
        co_await state->simple(check, {});
    } catch (const Error&) {
        if (state->broken) throw; // else: a platform that cannot
    }
}

namespace {

Task<Connection> open_session(std::unique_ptr<Connection::State> state) {
    co_await connect(state.get());
    const int pid = co_await server_pid(state.get());
    state->server_pid = pid;
    if (pid != PQbackendPID(state->raw())) {
        state->pooler = true;
        co_await pooler_test(state.get(), state->conninfo, state->options);
    }
    co_await apply_session_profile(state.get());
    state->notices.clear();
    co_return Connection(std::move(state));
}

} // namespace

Task<Connection> Connection::open(const Conninfo& conninfo, const SessionOptions& options) {
    return open_session(std::make_unique<State>(conninfo, options));
}

Task<void> refuse_transaction_pooler(Connection& first, const Conninfo& conninfo,
                                     const SessionOptions& options) {
    return pooler_test(first.state(), conninfo, options);
}

} // namespace pgsluice::pq
