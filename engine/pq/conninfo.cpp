#include "pq/conninfo.hpp"

#include <memory>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace pgsluice::pq {

namespace {

using Values = std::map<std::string, std::string>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Values values_of(const PQconninfoOption* option) {
    Values values;
    for (; option && option->keyword; ++option)
        if (option->val && *option->val) values[option->keyword] = option->val;
    return values;
}

// What libpq would use for these values: environment, service file and its own defaults filled in. libpq
// tells that only for a connection, so this is one that gives up before it touches the network: `spoiled`
// gets a value that its first checks refuse. Throws when it fails for another reason (a service that is not
// there).
Values resolve(Values values, const std::string& spoiled, const std::string& with) {
    values[spoiled] = with;
    std::vector<const char*> keywords, texts;
    for (const auto& [keyword, value] : values) {
        keywords.push_back(keyword.c_str());
        texts.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    texts.push_back(nullptr);
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
        PQconnectStartParams(keywords.data(), texts.data(), 0), PQfinish);
    const Options options(PQconninfo(connection.get()), PQconninfoFree);
    Values all = values_of(options.get());
    if (all[spoiled] != with)
        throw Error{ErrorKind::usage,
                    "cannot use the connection string: " + one_line(PQerrorMessage(connection.get()))};
    all.erase(spoiled);
    return all;
}

} // namespace

Conninfo Conninfo::parse(std::string_view text) {
    char* reason = nullptr;
    const Options options(PQconninfoParse(std::string(text).c_str(), &reason), PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(reason, PQfreemem);
    if (!options) {
        // libpq's reason may quote a piece of the string, and a piece may be the password: only the first
        // words.
        std::string why = one_line(reason ? reason : "out of memory");
        if (const std::size_t quote = why.find('"'); quote != std::string::npos) why.resize(quote);
        throw Error{ErrorKind::usage, "cannot read the connection string: " + why}.hint(
            "use postgresql://user@host:port/database or key=value pairs such as host=db dbname=prod");
    }
    const Values given = values_of(options.get());
    Conninfo conninfo;
    // A hundred ports for fewer hosts fail before user and database name get their defaults: a database that
    // nobody named must stay unnamed. The port itself comes from a second try with another fault.
    conninfo.values_ = resolve(given, "port", std::string(100, ','));
    const Values ports = resolve(given, "gssencmode", "unknown");
    if (const auto port = ports.find("port"); port != ports.end()) conninfo.values_["port"] = port->second;
    return conninfo;
}

std::map<std::string, std::string> Conninfo::environment() const {
    std::map<std::string, std::string> variables;
    const Options options(PQconndefaults(), PQconninfoFree);
    for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
        if (!option->envvar) continue;
        const std::string keyword = option->keyword;
        // What a service said is in the other values already.
        const bool told = keyword != "password" && keyword != "service" && keyword != "passfile";
        variables[option->envvar] = told ? get(keyword).value_or("") : "";
    }
    return variables;
}

std::optional<std::string> Conninfo::get(std::string_view keyword) const {
    const auto found = values_.find(std::string(keyword));
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

Conninfo Conninfo::with(std::string_view keyword, std::string value) const {
    Conninfo changed = *this;
    changed.values_[std::string(keyword)] = std::move(value);
    return changed;
}

std::string Conninfo::database() const { return get("dbname").value_or(""); }
std::string Conninfo::host() const { return get("host").value_or(get("hostaddr").value_or("")); }
std::string Conninfo::port() const { return get("port").value_or("5432"); }
std::string Conninfo::user() const { return get("user").value_or(""); }

std::string Conninfo::display() const {
    const std::string where = host().empty() ? "[local]" : host();
    return one_line(where + ":" + port() + "/" + database() + " as " + user());
}

} // namespace pgsluice::pq
