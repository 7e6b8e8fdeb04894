#include "kinds/guc.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// GUC_LIST_QUOTE in any supported major; the server keeps this list closed to extensions.
constexpr std::array<std::string_view, 8> quoted_lists = {"search_path",
                                                          "temp_tablespaces",
                                                          "session_preload_libraries",
                                                          "local_preload_libraries",
                                                          "shared_preload_libraries",
                                                          "unix_socket_directories",
                                                          "oauth_validator_libraries",
                                                          "output_plugin_libraries"};

bool is_quoted_list(std::string_view name) {
    return std::any_of(quoted_lists.begin(), quoted_lists.end(), [&](std::string_view known) {
        return std::equal(known.begin(), known.end(), name.begin(), name.end(),
                          [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
    });
}

void skip_blanks(std::string_view text, std::size_t& at) {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
}

// The elements of `a, "b c"`; nothing when the text is no such list.
std::optional<std::vector<std::string>> split_list(std::string_view text) {
    std::vector<std::string> elements;
    std::size_t at = 0;
    skip_blanks(text, at);
    if (at == text.size()) return elements;
    while (true) {
        std::string element;
        if (at < text.size() && text[at] == '"') {
            for (++at;; ++at) {
                if (at == text.size()) return std::nullopt;
                if (text[at] == '"') {
                    if (at + 1 == text.size() || text[at + 1] != '"') break;
                    ++at;
                }
                element += text[at];
            }
            ++at;
        } else {
            while (at < text.size() && text[at] != ',' &&
                   std::isspace(static_cast<unsigned char>(text[at])) == 0)
                element += text[at++];
            if (element.empty()) return std::nullopt;
        }
        elements.push_back(std::move(element));
        skip_blanks(text, at);
        if (at == text.size()) return elements;
        if (text[at] != ',') return std::nullopt;
        ++at;
        skip_blanks(text, at);
    }
}

} // namespace

std::string setting_value_sql(std::string_view name, std::string_view value) {
    const auto elements = is_quoted_list(name) ? split_list(value) : std::nullopt;
    if (!elements || elements->empty()) return pq::quote_literal(value);
    std::string sql;
    for (const std::string& element : *elements) {
        if (!sql.empty()) sql += ", ";
        sql += pq::quote_literal(element);
    }
    return sql;
}

std::string setting_sql(std::string_view stored) {
    const std::size_t equals = stored.find('=');
    if (equals == std::string_view::npos || equals == 0)
        throw Error{ErrorKind::source, "the server sent a setting without a name"};
    const std::string_view name = stored.substr(0, equals);
    return pq::quote_identifier(name) + " TO " + setting_value_sql(name, stored.substr(equals + 1));
}

} // namespace pgsluice::kinds
