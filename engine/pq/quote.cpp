#include "pq/quote.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/text.hpp"

namespace pgsluice::pq {

namespace {

// A NUL ends C strings, so everything behind it would be lost without a word: a name of ours would become
// another.
void refuse_nul(std::string_view text, const char* what) {
    if (text.find('\0') != std::string_view::npos)
        throw Error{ErrorKind::internal, std::string(what) + " holds a NUL byte"};
}

std::string doubled(std::string_view text, char quote, std::string_view special) {
    std::string quoted;
    quoted.reserve(text.size() + 3);
    quoted += quote;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) quoted += c;
        quoted += c;
    }
    quoted += quote;
    return quoted;
}

// The letter that follows `start` least often in `text`, or nothing when `start` does not occur at all. Each
// letter added to a tag divides the places left by 26, so a hostile body costs a few passes, not one per
// number it holds.
char rarest_follower(std::string_view text, std::string_view start) {
    std::array<std::size_t, 26> count{};
    bool found = false;
    for (std::size_t at = text.find(start); at != std::string_view::npos; at = text.find(start, at + 1)) {
        found = true;
        const std::size_t next = at + start.size();
        if (next < text.size() && text[next] >= 'a' && text[next] <= 'z')
            ++count[static_cast<std::size_t>(text[next] - 'a')];
    }
    if (!found) return '\0';
    return static_cast<char>('a' + (std::min_element(count.begin(), count.end()) - count.begin()));
}

} // namespace

std::string quote_identifier(std::string_view name) {
    refuse_nul(name, "a name");
    return doubled(name, '"', "\"");
}

std::string quote_qualified(std::string_view schema, std::string_view name) {
    if (schema.empty()) return quote_identifier(name);
    return quote_identifier(schema) + "." + quote_identifier(name);
}

std::string quote_literal(std::string_view text) {
    refuse_nul(text, "a text");
    if (text.find('\\') == std::string_view::npos) return doubled(text, '\'', "'");
    return "E" + doubled(text, '\'', "'\\");
}

std::string quote_identifiers(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names) {
        if (!all.empty()) all += ", ";
        all += quote_identifier(name);
    }
    return all;
}

// `$tag` without the second `$` must not occur: a text that ends in `$tag` would be completed to the closing
// tag by the `$` that follows it.
std::string dollar_quote(std::string_view text) {
    refuse_nul(text, "a text");
    std::string start = "$_";
    while (const char letter = rarest_follower(text, start)) start += letter;
    const std::string tag = start + "$";
    return tag + std::string(text) + tag;
}

std::string quote_role(std::string_view role) { return role.empty() ? "PUBLIC" : quote_identifier(role); }

std::string quote_conninfo_value(std::string_view value) {
    refuse_nul(value, "a connection option");
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

std::string comment_text(std::string_view text) { return one_line(text); }

} // namespace pgsluice::pq
