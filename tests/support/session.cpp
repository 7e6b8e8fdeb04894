#include "support/session.hpp"

#include <libpq-fe.h>
#include <utility>

namespace pgsluice::tests {

Session::Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(connection_) == CONNECTION_OK) {
        PQsetNoticeProcessor(
            connection_, [](void*, const char*) {}, nullptr);
        return;
    }
    const std::string why = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw SqlError{why, ""};
}

Session::~Session() { PQfinish(connection_); }

Session::Session(Session&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}

pg_result* Session::run(const std::string& text) {
    PGresult* result = PQexec(connection_, text.c_str());
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return result;
    const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const SqlError error{PQerrorMessage(connection_), code == nullptr ? "" : code};
    PQclear(result);
    throw error;
}

void Session::sql(const std::string& text) { PQclear(run(text)); }

std::vector<std::vector<std::string>> Session::rows(const std::string& query) {
    PGresult* result = run(query);
    std::vector<std::vector<std::string>> all;
    for (int row = 0; row < PQntuples(result); ++row) {
        std::vector<std::string>& line = all.emplace_back();
        for (int column = 0; column < PQnfields(result); ++column)
            line.emplace_back(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
    }
    PQclear(result);
    return all;
}

std::string Session::lines(const std::string& query) {
    std::string text;
    for (const std::vector<std::string>& row : rows(query)) {
        for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "|") + row[i];
        text += "\n";
    }
    return text;
}

std::string Session::value(const std::string& query) {
    const auto all = rows(query);
    if (all.size() != 1 || all[0].size() != 1)
        throw SqlError{"not exactly one value, but " + std::to_string(all.size()) + " rows: " + query,
                       "21000"};
    return all[0][0];
}

std::string Session::literal(const std::string& text) const {
    char* quoted = PQescapeLiteral(connection_, text.data(), text.size());
    std::string result = quoted;
    PQfreemem(quoted);
    return result;
}

std::string Session::identifier(const std::string& name) const {
    char* quoted = PQescapeIdentifier(connection_, name.data(), name.size());
    std::string result = quoted;
    PQfreemem(quoted);
    return result;
}

int Session::backend_pid() const { return PQbackendPID(connection_); }
bool Session::broken() const { return PQstatus(connection_) != CONNECTION_OK; }

} // namespace pgsluice::tests
