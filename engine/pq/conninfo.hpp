// A connection string, parsed once and reused whole by every connection of its side, so that no TLS option is
// ever lost on the way (CVE-2020-25694). Value type. The password never appears in display().
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::pq {

class Conninfo {
public:
    Conninfo() = default;
    // URI or key=value; libpq's environment, service file and .pgpass fill what is missing, as in psql.
    // Throws Error{usage} with libpq's reason, never repeating the string (it may hold a password).
    static Conninfo parse(std::string_view text);

    std::optional<std::string> get(std::string_view keyword) const;
    Conninfo with(std::string_view keyword, std::string value) const;
    Conninfo with_database(std::string_view name) const { return with("dbname", std::string(name)); }
    Conninfo with_password(std::string password) const { return with("password", std::move(password)); }

    std::string database() const; // "" when none is named (then refuse: rules.md 7)
    std::string host() const;     // "" for the default socket
    std::string port() const;
    std::string user() const;
    // "host:port/database as user": for logs and errors.
    std::string display() const;
    // For other programs of libpq: variable -> value of everything but passwords. Those with an empty value
    // must not be set, or they would lead somewhere else.
    std::map<std::string, std::string> environment() const;
    const std::map<std::string, std::string>& values() const { return values_; }

private:
    std::map<std::string, std::string> values_; // keyword -> value, only those that are set
};

} // namespace pgsluice::pq
