#include "merge/canonical.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgsluice::merge {

namespace {

using Tokens = std::vector<std::string>;

constexpr std::size_t rewrites_max = 10'000; // a definition is hostile input

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

// The end of what is quoted at `at`; a text that ends in the middle is one token to its end.
std::size_t quoted_end(std::string_view text, std::size_t at, bool backslashes) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        const bool escapes = backslashes && text[i] == '\\';
        const bool doubled = text[i] == quote && i + 1 < text.size() && text[i + 1] == quote;
        if (escapes || doubled)
            ++i;
        else if (text[i] == quote)
            return i + 1;
    }
    return text.size();
}

// $$...$$ or $tag$...$tag$ at `at`; `at` itself: none begins there.
std::size_t dollar_end(std::string_view text, std::size_t at) {
    std::size_t tag = at + 1;
    while (tag < text.size() && is_word(text[tag])) ++tag;
    if (tag >= text.size() || text[tag] != '$') return at;
    const std::string_view fence = text.substr(at, tag - at + 1);
    const std::size_t end = text.find(fence, tag + 1);
    return end == std::string_view::npos ? text.size() : end + fence.size();
}

std::size_t token_end(std::string_view text, std::size_t at) {
    const char c = text[at];
    if (c == '\'' || c == '"') return quoted_end(text, at, false);
    if ((c == 'E' || c == 'e') && at + 1 < text.size() && text[at + 1] == '\'')
        return quoted_end(text, at + 1, true);
    if (c == '$')
        if (const std::size_t end = dollar_end(text, at); end != at) return end;
    if (is_word(c)) {
        std::size_t end = at;
        while (end < text.size() && is_word(text[end])) ++end;
        return end;
    }
    return text.substr(at, 2) == "::" ? at + 2 : at + 1;
}

Tokens split(std::string_view text) {
    Tokens tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
            ++at;
            continue;
        }
        const std::size_t end = token_end(text, at);
        tokens.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return tokens;
}

// The place of the bracket that closes the one at `open`.
std::optional<std::size_t> closing(const Tokens& tokens, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t i = open; i < tokens.size(); ++i) {
        if (tokens[i] == "(" || tokens[i] == "[") ++depth;
        if ((tokens[i] == ")" || tokens[i] == "]") && --depth == 0) return i;
    }
    return std::nullopt;
}

// The array type after "::" at `at`: its element's tokens, and the place behind its brackets.
struct ArrayType {
    Tokens element;
    std::size_t end = 0;
};
std::optional<ArrayType> array_type(const Tokens& tokens, std::size_t at) {
    ArrayType type;
    for (std::size_t i = at; i + 1 < tokens.size(); ++i) {
        const std::string& token = tokens[i];
        if (token == "[" && tokens[i + 1] == "]" && !type.element.empty()) {
            type.end = i + 2;
            return type;
        }
        const bool of_type = is_word(token[0]) || token[0] == '"' || token == "." || token == "(" ||
                             token == ")" || token == ",";
        if (!of_type) return std::nullopt;
        type.element.push_back(token);
    }
    return std::nullopt;
}

void append(Tokens& to, const Tokens& tokens) { to.insert(to.end(), tokens.begin(), tokens.end()); }

// Each element with the cast; an array in the array with that of an array.
Tokens cast_elements(const Tokens& tokens, std::size_t from, std::size_t to, const Tokens& type,
                     bool in_parentheses) {
    Tokens made;
    const auto add = [&](std::size_t begin, std::size_t end) {
        const bool is_array = tokens[begin] == "ARRAY" && closing(tokens, begin + 1) == end - 1;
        if (in_parentheses) made.emplace_back("(");
        for (std::size_t i = begin; i < end; ++i) made.push_back(tokens[i]);
        if (in_parentheses) made.emplace_back(")");
        made.emplace_back("::");
        append(made, type);
        if (is_array) append(made, {"[", "]"});
    };
    std::size_t begin = from, depth = 0;
    for (std::size_t i = from; i < to; ++i) {
        if (tokens[i] == "(" || tokens[i] == "[") ++depth;
        if (tokens[i] == ")" || tokens[i] == "]") --depth;
        if (tokens[i] != "," || depth != 0) continue;
        add(begin, i);
        made.emplace_back(",");
        begin = i + 1;
    }
    add(begin, to);
    return made;
}

// (ARRAY[a, b])::t[] or, in the servers' pretty form, ARRAY[a, b]::t[]. False: there is none (any more) at
// `at`.
bool move_cast(Tokens& tokens, std::size_t at) {
    if (tokens[at] != "ARRAY" || at + 1 >= tokens.size() || tokens[at + 1] != "[") return false;
    const std::optional<std::size_t> close = closing(tokens, at + 1);
    if (!close || *close == at + 2) return false;
    std::size_t cast = *close + 1;
    const bool in_parentheses =
        at > 0 && tokens[at - 1] == "(" && cast < tokens.size() && tokens[cast] == ")";
    if (in_parentheses) ++cast;
    if (cast >= tokens.size() || tokens[cast] != "::") return false;
    const std::optional<ArrayType> type = array_type(tokens, cast + 1);
    if (!type) return false;
    Tokens made = {"ARRAY", "["};
    append(made, cast_elements(tokens, at + 2, *close, type->element, in_parentheses));
    made.emplace_back("]");
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(in_parentheses ? at - 1 : at);
    const auto place = tokens.erase(begin, tokens.begin() + static_cast<std::ptrdiff_t>(type->end));
    tokens.insert(place, made.begin(), made.end());
    return true;
}

// A label that the server gives to a cast by itself: the type's name.
bool is_label_of_cast(const Tokens& tokens, std::size_t as) {
    constexpr std::array<std::string_view, 14> names = {
        "text",   "\"varchar\"", "bpchar", "int2", "int4",          "int8",        "\"numeric\"",
        "float4", "float8",      "bool",   "date", "\"timestamp\"", "timestamptz", "\"char\""};
    if (as < 2 || as + 1 >= tokens.size() || tokens[as] != "AS") return false;
    if (std::find(names.begin(), names.end(), tokens[as + 1]) == names.end()) return false;
    for (std::size_t back = 2; back <= 5 && back <= as; ++back)
        if (tokens[as - back] == "::") return true;
    return false;
}

} // namespace

std::string canonical(std::string_view definition) {
    Tokens tokens = split(definition);
    std::size_t rewrites = 0;
    for (std::size_t at = 0; at < tokens.size();)
        if (rewrites >= rewrites_max || !move_cast(tokens, at))
            ++at;
        else if (++rewrites; at > 0)
            --at; // the parenthesis before it is gone; its elements come next
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_label_of_cast(tokens, i)) {
            ++i;
            continue;
        }
        if (!text.empty()) text += ' ';
        text += tokens[i];
    }
    return text;
}

std::string definition_mark(std::string_view definition) {
    return fmt::format("{:016x}", stable_hash(canonical(definition)));
}

bool same_definition(const std::string& one, const std::string& other) {
    return one == other || canonical(one) == canonical(other);
}

} // namespace pgsluice::merge
