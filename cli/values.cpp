#include "values.hpp"

#include <charconv>

#include "base/size.hpp"

namespace pgsluice::cli {

namespace {

Error wrong(const std::string& option, const std::string& word, std::string hint) {
    return Error{ErrorKind::usage, option + " cannot be \"" + word + "\""}.hint(std::move(hint));
}

} // namespace

int to_number(const std::string& option, const std::string& word, int min, int max) {
    int number = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (code != std::errc{} || end != word.data() + word.size() || number < min || number > max)
        throw wrong(option, word, "a number from " + std::to_string(min) + " to " + std::to_string(max));
    return number;
}

std::size_t to_size(const std::string& option, const std::string& word) {
    const auto bytes = parse_size(word);
    if (!bytes) throw wrong(option, word, "a size such as 64MB or 1GB");
    return *bytes;
}

std::chrono::milliseconds to_length(const std::string& option, const std::string& word) {
    const auto length = parse_length(word);
    if (!length) throw wrong(option, word, "a length of time such as 5s, 500ms or 2min");
    return *length;
}

std::map<std::string, std::string> to_role_map(const std::vector<std::string>& words) {
    std::map<std::string, std::string> roles;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == word.size())
            throw wrong("--map-role", word,
                        "FROM=TO: a role of the source, and the target's role that takes its place");
        const std::string from = word.substr(0, equals), to = word.substr(equals + 1);
        const auto [known, added] = roles.emplace(from, to);
        if (!added && known->second != to)
            throw Error{ErrorKind::usage, "--map-role maps role " + from + " twice"}.hint(
                "give each role of the source once");
    }
    return roles;
}

std::string to_host_and_database(const std::string& option, const std::string& word) {
    // The last slash: a host may be a directory of sockets.
    const std::size_t slash = word.rfind('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == word.size())
        throw wrong(option, word, "HOST/DBNAME, for example preprod-db.example.org/app");
    return word;
}

} // namespace pgsluice::cli
