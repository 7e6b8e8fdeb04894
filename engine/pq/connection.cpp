#include "pq/connection.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "pq/state.hpp"

namespace pgsluice::pq {

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

namespace {

Rows single(Results results) {
    if (results.size() != 1)
        throw Error{ErrorKind::internal, "a query gave not one answer but several or none"};
    // A shared_ptr cannot give up what it holds: the Rows share it.
    Rows rows(std::move(results.front()));
    if (rows.size() > limits::catalog_rows_max)
        throw Error{ErrorKind::internal, "a query gave more rows than we are willing to hold"};
    return rows;
}

Task<void> run_command(Connection::State* state, std::string sql, Duration limit) {
    co_await state->simple(std::move(sql), limit);
}

// By the extended protocol, in which the server itself takes one statement only.
Task<Rows> run_query(Connection::State* state, std::string sql, std::vector<std::string> parameters,
                     Duration limit) {
    if (sql.find('\0') != std::string::npos) throw Error{ErrorKind::internal, "a statement holds a NUL byte"};
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) {
        if (parameter.find('\0') != std::string::npos)
            throw Error{ErrorKind::internal, "a parameter holds a NUL byte"};
        values.push_back(parameter.c_str());
    }
    Operation operation(*state);
    state->sent(PQsendQueryParams(state->raw(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                  values.data(), nullptr, nullptr, 0));
    state->watchdog->start(state->limit_or_default(limit));
    try {
        co_await state->flush();
        Results results = co_await state->collect();
        operation.ended();
        co_return single(std::move(results));
    } catch (const Error&) {
        if (!state->broken) operation.ended();
        throw;
    }
}

Task<std::string> run_value(Connection::State* state, std::string sql, Duration limit) {
    std::vector<std::string> none;
    const Rows rows = co_await run_query(state, std::move(sql), std::move(none), limit);
    if (rows.size() != 1 || rows.columns() != 1)
        throw Error{ErrorKind::internal, "a query for a single value gave another shape"};
    co_return std::string(rows.at(0, 0));
}

} // namespace

Task<void> Connection::command(std::string sql, Duration limit) {
    return run_command(state_.get(), std::move(sql), limit);
}

Task<Rows> Connection::rows(std::string sql, Duration limit) {
    return run_query(state_.get(), std::move(sql), {}, limit);
}

Task<std::string> Connection::value(std::string sql, Duration limit) {
    return run_value(state_.get(), std::move(sql), limit);
}

Task<Rows> Connection::rows_with(std::string sql, std::vector<std::string> parameters, Duration limit) {
    return run_query(state_.get(), std::move(sql), std::move(parameters), limit);
}

std::vector<Notice> Connection::take_notices() { return std::exchange(state_->notices, {}); }
bool Connection::in_transaction() const {
    const PGTransactionStatusType status = PQtransactionStatus(state_->handle.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}
int Connection::backend_pid() const { return state_->server_pid; }
int Connection::server_version() const { return PQserverVersion(state_->raw()); }
std::string Connection::server_encoding() const {
    const char* encoding = PQparameterStatus(state_->raw(), "server_encoding");
    return encoding ? encoding : "";
}
Side Connection::side() const { return state_->side(); }
const Conninfo& Connection::conninfo() const { return state_->conninfo; }

std::string Connection::tls() const {
    if (!PQsslInUse(state_->raw())) return "";
    const char* protocol = PQsslAttribute(state_->raw(), "protocol");
    return protocol ? protocol : "TLS";
}

bool Connection::broken() const {
    return !state_ || state_->broken || PQstatus(state_->raw()) == CONNECTION_BAD;
}
bool Connection::behind_pooler() const { return state_->pooler; }
std::uint64_t Connection::queries_sent() const { return state_->queries; }
std::size_t Connection::largest_row_bytes() const { return state_->largest_row; }

} // namespace pgsluice::pq
