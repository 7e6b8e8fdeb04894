#include "secrets.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace pgsluice::cli {

namespace {

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

bool is_secret_key(std::string_view key) { return key == "password" || key == "sslpassword"; }

std::string percent_decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() &&
                            std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                            std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
        if (!escape) {
            result += text[i];
            continue;
        }
        result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return result;
}

// postgresql://user:password@host/db?password=...
bool uri_holds_password(std::string_view rest) {
    const std::size_t query = rest.find('?');
    const std::string_view before = rest.substr(0, query);
    // libpq takes the first @ before the path as the end of user and password; a later one must be escaped,
    // but whoever forgot that has still typed a password.
    const std::size_t at = before.rfind('@');
    if (at != std::string_view::npos) {
        const std::string_view user = before.substr(0, at);
        const std::size_t colon = user.find(':');
        if (colon != std::string_view::npos && colon + 1 < user.size()) return true;
    }
    if (query == std::string_view::npos) return false;
    std::string_view pairs = rest.substr(query + 1);
    while (!pairs.empty()) {
        const std::size_t end = std::min(pairs.find('&'), pairs.size());
        const std::string_view pair = pairs.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && equals + 1 < pair.size() &&
            is_secret_key(percent_decoded(pair.substr(0, equals))))
            return true;
        pairs.remove_prefix(std::min(end + 1, pairs.size()));
    }
    return false;
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// key=value words as libpq reads them: spaces around =, values in single quotes, backslash escapes. Nothing
// where the text is no such list.
std::optional<bool> words_hold_password(std::string_view text) {
    std::size_t at = 0;
    const auto skip_spaces = [&] {
        while (at < text.size() && is_space(text[at])) ++at;
    };
    bool found = false;
    for (skip_spaces(); at < text.size(); skip_spaces()) {
        const std::size_t key_start = at;
        while (at < text.size() && text[at] != '=' && !is_space(text[at])) ++at;
        const std::string_view key = text.substr(key_start, at - key_start);
        skip_spaces();
        if (at >= text.size() || text[at] != '=') return std::nullopt;
        ++at;
        skip_spaces();
        std::string value;
        const bool quoted = at < text.size() && text[at] == '\'';
        if (quoted) ++at;
        for (; at < text.size() && (quoted ? text[at] != '\'' : !is_space(text[at])); ++at) {
            if (text[at] == '\\' && at + 1 < text.size()) ++at;
            value += text[at];
        }
        if (quoted && at >= text.size()) return std::nullopt;
        if (quoted) ++at;
        if (is_secret_key(key) && !value.empty()) found = true;
    }
    return found;
}

} // namespace

bool holds_password(std::string_view conninfo) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"})
        if (conninfo.starts_with(scheme)) return uri_holds_password(conninfo.substr(scheme.size()));
    return words_hold_password(conninfo).value_or(lower(conninfo).find("password") != std::string::npos);
}

std::string shell_quote(std::string_view word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
    if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

} // namespace pgsluice::cli
