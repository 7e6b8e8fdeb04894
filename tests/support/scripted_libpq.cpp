#include "support/scripted_libpq.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

using pgsluice::tests::script;
using pgsluice::tests::ScriptedResult;

struct pg_conn {
    pg_conn() {
        ++script().open_handles;
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
        if (script().readable && ::write(ends[1], "x", 1) != 1) std::abort();
    }
    ~pg_conn() {
        --script().open_handles;
        ::close(ends[0]);
        ::close(ends[1]);
    }
    pg_conn(const pg_conn&) = delete;
    pg_conn& operator=(const pg_conn&) = delete;

    int ends[2]{};
    ConnStatusType status = CONNECTION_STARTED;
    std::string error;
    std::deque<ScriptedResult> results; // of the statement under way
    bool unflushed = false;
    std::map<std::string, std::string> given; // to PQconnectStartParams
};

struct pg_result {
    explicit pg_result(ScriptedResult of) : it(std::move(of)) { ++script().open_results; }
    ~pg_result() { --script().open_results; }
    pg_result(const pg_result&) = delete;
    pg_result& operator=(const pg_result&) = delete;
    ScriptedResult it;
};

namespace pgsluice::tests {

namespace {
Script present;

template <class T>
T next(std::deque<T>& queue, T usual) {
    if (queue.empty()) return usual;
    T front = std::move(queue.front());
    queue.pop_front();
    return front;
}

// Counts a call that can fail, and loses the connection when it is its turn.
bool lost(pg_conn* connection, const char* function) {
    if (connection->status == CONNECTION_BAD) return true;
    if (++present.fallible_calls != present.lose_at) return false;
    present.lost_in = function;
    connection->status = CONNECTION_BAD;
    connection->error = "server closed the connection unexpectedly\n";
    return true;
}

std::vector<ScriptedResult> answer_to(const std::string& sql) {
    if (sql.find("pg_backend_pid()") != std::string::npos) {
        ScriptedResult pid = of_status(PGRES_TUPLES_OK, "1");
        pid.columns = {"pid"};
        pid.rows = {{present.reported_pid}};
        return {pid};
    }
    if (sql.find("set_config('search_path'") != std::string::npos ||
        sql.find("client_connection_check_interval") != std::string::npos)
        return {ScriptedResult{}};
    return next(present.answers, std::vector<ScriptedResult>{ScriptedResult{}});
}

int send(pg_conn* connection, const char* sql) {
    if (lost(connection, "PQsendQuery")) return 0;
    present.statements.emplace_back(sql);
    connection->results.clear();
    for (ScriptedResult& result : answer_to(sql)) connection->results.push_back(std::move(result));
    connection->unflushed = true;
    return 1;
}

} // namespace

Script& script() { return present; }
void reset_script() { present = Script{}; }

} // namespace pgsluice::tests

using pgsluice::tests::lost;
using pgsluice::tests::next;

extern "C" {

PGconn* PQconnectStartParams(const char* const* keywords, const char* const* values, int) {
    auto* connection = new pg_conn;
    for (; *keywords; ++keywords, ++values) connection->given[*keywords] = *values;
    script().given = connection->given;
    return connection;
}

// What was given, right or wrong: freed by the real PQconninfoFree.
PQconninfoOption* PQconninfo(PGconn* connection) {
    auto* options =
        static_cast<PQconninfoOption*>(std::calloc(connection->given.size() + 1, sizeof(PQconninfoOption)));
    PQconninfoOption* option = options;
    for (const auto& [keyword, value] : connection->given) {
        option->keyword = const_cast<char*>(keyword.c_str());
        option->val = strdup(value.c_str());
        ++option;
    }
    return options;
}

PostgresPollingStatusType PQconnectPoll(PGconn* connection) {
    if (lost(connection, "PQconnectPoll")) return PGRES_POLLING_FAILED;
    const PostgresPollingStatusType answer = next(script().polls, PGRES_POLLING_OK);
    if (answer == PGRES_POLLING_OK) connection->status = CONNECTION_OK;
    if (answer == PGRES_POLLING_FAILED) connection->status = CONNECTION_BAD;
    return answer;
}

void PQfinish(PGconn* connection) { delete connection; }
ConnStatusType PQstatus(const PGconn* connection) { return connection ? connection->status : CONNECTION_BAD; }
int PQsocket(const PGconn* connection) { return connection->ends[0]; }
char* PQerrorMessage(const PGconn* connection) { return const_cast<char*>(connection->error.c_str()); }
PGVerbosity PQsetErrorVerbosity(PGconn*, PGVerbosity) { return PQERRORS_DEFAULT; }
PQnoticeReceiver PQsetNoticeReceiver(PGconn*, PQnoticeReceiver, void*) { return nullptr; }
int PQsetnonblocking(PGconn*, int) { return 0; }
char* PQpass(const PGconn*) { return const_cast<char*>("scripted secret"); }
char* PQuser(const PGconn*) { return const_cast<char*>("u"); }
char* PQdb(const PGconn*) { return const_cast<char*>("d"); }
int PQserverVersion(const PGconn*) { return script().server_version; }
int PQbackendPID(const PGconn*) { return script().backend_pid; }
int PQsslInUse(PGconn*) { return 0; }
PGcancel* PQgetCancel(PGconn*) { return nullptr; }

int PQsendQuery(PGconn* connection, const char* sql) { return pgsluice::tests::send(connection, sql); }
int PQsendQueryParams(PGconn* connection, const char* sql, int, const Oid*, const char* const*, const int*,
                      const int*, int) {
    return pgsluice::tests::send(connection, sql);
}

int PQflush(PGconn* connection) {
    ++script().flush_calls;
    if (lost(connection, "PQflush")) return -1;
    const int answer = next(script().flushes, 0);
    if (answer == 0) connection->unflushed = false;
    return answer;
}

int PQconsumeInput(PGconn* connection) { return lost(connection, "PQconsumeInput") ? 0 : 1; }
int PQisBusy(PGconn* connection) { return connection->status == CONNECTION_BAD ? 0 : next(script().busy, 0); }

PGresult* PQgetResult(PGconn* connection) {
    const bool was_lost = connection->status == CONNECTION_BAD;
    if (lost(connection, "PQgetResult")) {
        connection->results.clear();
        if (was_lost) return nullptr;
        return new pg_result(pgsluice::tests::of_status(PGRES_FATAL_ERROR));
    }
    if (connection->results.empty()) return nullptr;
    ScriptedResult first = std::move(connection->results.front());
    connection->results.pop_front();
    return new pg_result(std::move(first));
}

int PQgetCopyData(PGconn* connection, char** buffer, int) {
    if (lost(connection, "PQgetCopyData")) return -2;
    if (script().copy_rows.empty()) return script().copy_breaks ? -2 : -1;
    const std::string row = next(script().copy_rows, std::string());
    if (row.empty()) return 0;
    *buffer = static_cast<char*>(std::malloc(row.size() + 1));
    std::memcpy(*buffer, row.c_str(), row.size() + 1);
    return static_cast<int>(row.size());
}

int PQputCopyData(PGconn* connection, const char* buffer, int bytes) {
    if (lost(connection, "PQputCopyData")) return -1;
    script().put_before_flushed = script().put_before_flushed || connection->unflushed;
    const int answer = next(script().puts, 1);
    if (answer <= 0) return answer;
    connection->unflushed = true;
    script().put_sizes.push_back(static_cast<std::size_t>(bytes));
    script().put_bytes.append(buffer, static_cast<std::size_t>(bytes));
    return answer;
}

int PQputCopyEnd(PGconn* connection, const char* reason) {
    if (lost(connection, "PQputCopyEnd")) return -1;
    const int answer = next(script().put_ends, 1);
    if (answer > 0 && reason) script().end_reason = reason;
    return answer;
}

void PQclear(PGresult* result) { delete result; }
ExecStatusType PQresultStatus(const PGresult* result) {
    return result ? result->it.status : PGRES_FATAL_ERROR;
}
char* PQresultErrorField(const PGresult* result, int code) {
    const auto found = result->it.fields.find(code);
    return found == result->it.fields.end() ? nullptr : const_cast<char*>(found->second.c_str());
}
char* PQresultErrorMessage(const PGresult*) { return const_cast<char*>(""); }
int PQntuples(const PGresult* result) { return static_cast<int>(result->it.rows.size()); }
int PQnfields(const PGresult* result) { return static_cast<int>(result->it.columns.size()); }
int PQbinaryTuples(const PGresult* result) { return result->it.binary ? 1 : 0; }
char* PQcmdStatus(PGresult*) { return const_cast<char*>(""); }
char* PQcmdTuples(PGresult* result) { return const_cast<char*>(result->it.tuples.c_str()); }
char* PQfname(const PGresult* result, int column) {
    return const_cast<char*>(result->it.columns[static_cast<std::size_t>(column)].c_str());
}
char* PQgetvalue(const PGresult* result, int row, int column) {
    return const_cast<char*>(
        result->it.rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)].c_str());
}
int PQgetlength(const PGresult* result, int row, int column) {
    return static_cast<int>(std::strlen(PQgetvalue(result, row, column)));
}
int PQgetisnull(const PGresult*, int, int) { return 0; }
} // extern "C"
