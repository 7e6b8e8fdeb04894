#include "merge/row_types.hpp"

#include <algorithm>
#include <array>

namespace pgsluice::merge {

namespace {

bool of_server(const std::string& type) {
    return type.find('.') == std::string::npos && type.find('"') == std::string::npos;
}

// "number", "text", "time", else the type without its modifier.
std::string kind_of(const std::string& type) {
    static constexpr std::array<const char*, 4> numbers = {"smallint", "integer", "bigint", "numeric"};
    static constexpr std::array<const char*, 3> texts = {"text", "character", "name"};
    std::string plain = type;
    if (const std::size_t from = plain.find('('); from != std::string::npos)
        plain.erase(from, plain.find(')', from) + 1 - from);
    if (plain == "character varying") return "text";
    if (std::find(numbers.begin(), numbers.end(), plain) != numbers.end()) return "number";
    if (std::find(texts.begin(), texts.end(), plain) != texts.end()) return "text";
    if (plain == "date" || plain.starts_with("timestamp")) return "time";
    return plain;
}

} // namespace

bool apart(const std::string& a, const std::string& b) {
    return of_server(a) && of_server(b) && kind_of(a) != kind_of(b);
}

bool can_hold(const std::string& child, const std::string& parent) {
    return !apart(child, parent) || kind_of(child) == "text";
}

std::pair<std::string, std::string> comparable(std::string a, const std::string& a_type, std::string b,
                                               const std::string& b_type) {
    if (a_type == b_type) return {std::move(a), std::move(b)};
    if (!of_server(a_type) || !of_server(b_type)) return {a + "::" + b_type, std::move(b)};
    const std::string kind = kind_of(a_type);
    if (kind == kind_of(b_type) && kind != "text" && kind != "number")
        return {a + "::" + b_type, std::move(b)};
    const char* cast =
        kind == "number" && kind_of(b_type) == "number" ? "::pg_catalog.numeric" : "::pg_catalog.text";
    return {a + cast, b + cast};
}

std::string differ(const std::string& a, const std::string& a_type, const std::string& b,
                   const std::string& b_type) {
    // 3.00 is 3.
    const bool numbers = a_type != b_type && of_server(a_type) && of_server(b_type) &&
                         kind_of(a_type) == "number" && kind_of(b_type) == "number";
    const char* cast = numbers ? "::pg_catalog.numeric" : "::pg_catalog.text";
    return a + cast + " <> " + b + cast;
}

} // namespace pgsluice::merge
