#include "merge/row_names.hpp"

namespace pgsluice::merge {

std::string unquoted(std::string text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
    text = text.substr(1, text.size() - 2);
    for (std::size_t at = text.find("\"\""); at != std::string::npos; at = text.find("\"\"", at + 1))
        text.erase(at, 1);
    return text;
}

std::vector<std::string> split_name(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    bool inside = false, just_closed = false; // "" inside of quotes
    char before = separator;
    for (const char c : text) {
        // In the middle of a name it is one of its letters.
        const bool begins =
            before == '.' || before == '=' || before == ',' || before == separator || just_closed;
        const bool quote = c == '"' && (inside || begins);
        just_closed = quote && inside;
        if (quote) inside = !inside;
        if (c == separator && !inside)
            parts.emplace_back();
        else
            parts.back() += c;
        before = c;
    }
    if (!inside) return parts;
    // It opens and never closes: it is no quote.
    parts.assign(1, "");
    for (const char c : text)
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

bool names_table(const std::string& text, const std::string& schema, const std::string& name) {
    if (text == schema + "." + name || text == name) return true;
    const std::vector<std::string> parts = split_name(text, '.');
    if (parts.size() == 1) return unquoted(parts[0]) == name;
    return parts.size() == 2 && unquoted(parts[0]) == schema && unquoted(parts[1]) == name;
}

} // namespace pgsluice::merge
