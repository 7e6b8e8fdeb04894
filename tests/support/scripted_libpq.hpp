// A libpq that does what a test says: no socket to a server, no timing. Linked before the real one, of which
// only what needs no connection (conninfo parsing) is left.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace pgsluice::tests {

struct ScriptedResult {
    ExecStatusType status = PGRES_COMMAND_OK;
    std::string tuples; // the number in the command tag
    std::map<int, std::string> fields;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    bool binary = false;
};

inline ScriptedResult server_says(std::string sqlstate, std::string message) {
    ScriptedResult result;
    result.status = PGRES_FATAL_ERROR;
    result.fields = {{PG_DIAG_SQLSTATE, std::move(sqlstate)}, {PG_DIAG_MESSAGE_PRIMARY, std::move(message)}};
    return result;
}

inline ScriptedResult of_status(ExecStatusType status, std::string tuples = "") {
    ScriptedResult result;
    result.status = status;
    result.tuples = std::move(tuples);
    return result;
}

// Queues are used up from the front; an empty one means the usual: success, nothing to wait for.
struct Script {
    int server_version = 150018;
    int backend_pid = 4711;            // PQbackendPID
    std::string reported_pid = "4711"; // pg_backend_pid()
    std::deque<PostgresPollingStatusType> polls;
    std::deque<int> flushes, puts, put_ends, busy;
    std::deque<std::string> copy_rows; // "" says 0: nothing has arrived yet
    bool copy_breaks = false;          // PQgetCopyData ends with -2 instead of -1
    // The answers to the next statements that are not part of opening a session, each a list of results.
    std::deque<std::vector<ScriptedResult>> answers;
    bool readable = true; // what poll() on the socket says

    // The call, counted from 1 over all that can fail, that loses the connection; 0: none.
    int lose_at = 0;

    // What happened.
    int fallible_calls = 0, flush_calls = 0, open_handles = 0, open_results = 0;
    std::string lost_in;                      // the function
    std::map<std::string, std::string> given; // to the last PQconnectStartParams
    std::vector<std::string> statements;
    std::vector<std::size_t> put_sizes;
    std::string put_bytes, end_reason;
    bool put_before_flushed = false; // new bytes while libpq still held old ones
};

Script& script();
void reset_script();

} // namespace pgsluice::tests
