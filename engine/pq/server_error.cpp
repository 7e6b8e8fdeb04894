#include "pq/server_error.hpp"

#include <algorithm>
#include <cctype>

#include <libpq-fe.h>

#include "base/text.hpp"

namespace pgsluice::pq {

namespace {

std::string field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text ? one_line(text) : std::string();
}

// "table public.orders, constraint orders_pkey", as far as the server named them.
std::string named_object(const PGresult* result) {
    const std::string schema = field(result, PG_DIAG_SCHEMA_NAME);
    const std::string prefix = schema.empty() ? "" : schema + ".";
    std::string name;
    const auto add = [&name](const std::string& what, const std::string& text) {
        if (text.empty()) return;
        if (!name.empty()) name += ", ";
        name += what + text;
    };
    const std::string table = field(result, PG_DIAG_TABLE_NAME);
    const std::string type = field(result, PG_DIAG_DATATYPE_NAME);
    if (!table.empty()) add("table ", prefix + table);
    if (!type.empty()) add("type ", prefix + type);
    add("column ", field(result, PG_DIAG_COLUMN_NAME));
    add("constraint ", field(result, PG_DIAG_CONSTRAINT_NAME));
    return name;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// "FATAL:  28P01: password ..." at verbosity VERBOSE.
std::string sqlstate_in(std::string_view text) {
    for (std::size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
        const std::string_view code = text.substr(at + 3, 5);
        const bool is_code = code.size() == 5 && std::all_of(code.begin(), code.end(), [](char c) {
                                 return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                             });
        if (is_code && text.substr(at + 8, 2) == ": ") return std::string(code);
    }
    return "";
}

std::string connect_hint(std::string_view sqlstate, std::string_view text, std::string_view side) {
    if (sqlstate == "28P01" || contains(text, "no password supplied"))
        return "check the password: --" + std::string(side) +
               "-password-env, PGPASSWORD, or the line of .pgpass for this host, port, database and user";
    if (sqlstate == "28000" || contains(text, "pg_hba.conf"))
        return "the server's pg_hba.conf must admit this user from here to this database, with or without "
               "TLS as "
               "sslmode asks, and the role needs LOGIN";
    if (sqlstate == "3D000") return "check the database's name; databases are listed by psql -l";
    if (sqlstate == "53300")
        return "the server has no connection to spare: use fewer lanes (--jobs), or end idle sessions";
    if (sqlstate == "57P03") return "the server is starting up or shutting down: try again in a moment";
    if (sqlstate == "42501") return "the role needs CONNECT on the database";
    if (contains(text, "translate host name"))
        return "check the host's name, and that it can be resolved from here";
    if (contains(text, "refused") || contains(text, "No such file"))
        return "is the server running there, and does it listen at this host and port?";
    if (contains(text, "SSL") || contains(text, "certificate"))
        return "check sslmode, sslrootcert and the server's certificate";
    if (contains(text, "timeout") || contains(text, "unreachable") || contains(text, "timed out"))
        return "check host and port, and that no firewall drops the packets";
    return "check host, port, database and user of the connection string";
}

// A hostile server could send back the password that it was given.
void hide(std::string& text, const std::string& secret) {
    if (secret.size() < 3) return;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
        text.replace(at, secret.size(), "***");
}

// In words of the user's own, which may quote the row that they are about; not those of our statements'
// mistakes.
bool raised_by_function(const PGresult* result, std::string_view sqlstate) {
    const std::string from = field(result, PG_DIAG_SOURCE_FUNCTION), context = field(result, PG_DIAG_CONTEXT);
    return sqlstate.starts_with("P0") || sqlstate.starts_with("38") || sqlstate.starts_with("39") ||
           from == "exec_stmt_raise" || context.find(" at EXECUTE") != std::string::npos ||
           (context.find("PL/") != std::string::npos && context.find("PL/pgSQL") == std::string::npos);
}

} // namespace

std::string_view side_name(Side side) { return side == Side::source ? "source" : "target"; }

std::string without_values(std::string_view message) {
    std::string text;
    const std::size_t last_quote = message.rfind('"');
    for (std::size_t at = 0; at < message.size(); ++at) {
        if (message.substr(at).starts_with("0x")) { // bytes of the value
            text += "0x..";
            at += 2;
            while (at < message.size() && std::isxdigit(static_cast<unsigned char>(message[at]))) ++at;
            --at;
            continue;
        }
        text += message[at];
        if (message[at] != '"') continue;
        const std::size_t next = message.find('"', at + 1);
        if (next != std::string_view::npos && text.ends_with("encoding \"")) { // a name, not a value
            text += message.substr(at + 1, next - at);
            at = next;
        } else if (last_quote != std::string_view::npos && last_quote > at) {
            // To the last quote, not the next: the value may hold quotes.
            text += "...\"";
            at = last_quote;
        }
    }
    return text;
}

bool ends_session(std::string_view sqlstate) {
    return sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" ||
           sqlstate == "57P04" || sqlstate == "57P05" || sqlstate == "25P03" || sqlstate == "25P04";
}

Error server_error(const PGresult* result, Side side, bool inside_copy) {
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) message = one_line(PQresultErrorMessage(result));
    if (message.empty()) message = "the server gave no reason";
    const bool is_raised = raised_by_function(result, sqlstate);
    const bool has_values =
        sqlstate.starts_with("22") || sqlstate.starts_with("23") || inside_copy || is_raised;
    if (sqlstate.starts_with("22")) message = without_values(message);
    if (is_raised) message = "a trigger or function raised an exception";
    ErrorKind kind = side == Side::source ? ErrorKind::source : ErrorKind::target;
    if (ends_session(sqlstate)) kind = ErrorKind::connection;
    Error error{kind, message};
    error.sqlstate(sqlstate).object(named_object(result));
    if (!has_values)
        error.detail(field(result, PG_DIAG_MESSAGE_DETAIL)).hint(field(result, PG_DIAG_MESSAGE_HINT));
    return error;
}

Error lost_connection(const PGconn* connection, Side side) {
    std::string why = one_line(PQerrorMessage(connection));
    while (!why.empty() && why.back() == ' ') why.pop_back();
    std::string message = "lost the connection to the " + std::string(side_name(side));
    if (!why.empty()) message += ": " + why;
    if (const char* password = PQpass(connection)) hide(message, password);
    return Error{ErrorKind::connection, message}.hint(
        "the server was stopped or restarted, the session was ended, or "
        "the network failed; the server's log knows which");
}

Error connect_error(std::string_view text, Side side, const Conninfo& conninfo) {
    const std::string sqlstate = sqlstate_in(text);
    // LOCATION and what follows is for developers of PostgreSQL.
    std::string why = one_line(text.substr(0, text.find("\nLOCATION:")));
    if (!sqlstate.empty())
        if (const std::size_t at = why.find(sqlstate + ": "); at != std::string::npos) why.erase(at, 7);
    while (!why.empty() && why.back() == ' ') why.pop_back();
    hide(why, conninfo.get("password").value_or(""));
    const std::string who = std::string(side_name(side)) + " (" + conninfo.display() + ")";
    Error error{ErrorKind::connection, "cannot connect to the " + who + ": " + why};
    return error.sqlstate(sqlstate).hint(connect_hint(sqlstate, text, side_name(side)));
}

} // namespace pgsluice::pq
