// A plain blocking connection for tests, on bare libpq: the engine's own connection is what they test.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace pgsluice::tests {

struct SqlError : std::runtime_error {
    SqlError(const std::string& message, std::string code)
        : std::runtime_error(message), sqlstate(std::move(code)) {}
    std::string sqlstate; // empty: the connection itself failed
};

class Session {
public:
    explicit Session(const std::string& conninfo);
    ~Session();
    Session(Session&& other) noexcept;
    Session& operator=(Session&&) = delete;
    Session(const Session&) = delete;

    void sql(const std::string& text);           // several statements are one transaction, as in libpq
    std::string value(const std::string& query); // exactly one row and column; NULL is ""
    std::vector<std::vector<std::string>> rows(const std::string& query);
    std::string lines(const std::string& query);           // "a|b\n" per row
    std::string literal(const std::string& text) const;    // 'text', quoted
    std::string identifier(const std::string& name) const; // "name", quoted
    int backend_pid() const;
    bool broken() const;
    pg_conn* raw() const { return connection_; }

private:
    pg_result* run(const std::string& text);
    pg_conn* connection_ = nullptr;
};

} // namespace pgsluice::tests
