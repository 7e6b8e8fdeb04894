#include "tidy/rules.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

namespace pgsluice::tidy {
namespace {

constexpr std::size_t lines_max = 400;

// design.md section 3. "x/y" allows one header of a room; "*" allows every room of the engine.
const std::map<std::string, std::set<std::string>, std::less<>> may_include = {
    {"engine/base", {}},
    {"engine/flow", {"base"}},
    {"engine/codec", {"base"}},
    {"engine/model", {"base"}},
    {"engine/report", {"base"}},
    {"engine/pq", {"base", "flow"}},
    {"engine/kinds", {"base", "model", "pq/quote"}},
    {"engine/catalog", {"base", "flow", "pq", "model", "kinds"}},
    {"engine/graph", {"base", "model", "kinds/descriptor", "pq/quote"}},
    {"engine/merge", {"base", "model", "graph", "kinds/descriptor", "pq/quote"}},
    {"engine/plan", {"base", "model", "graph", "merge"}},
    {"engine/archive", {"base", "codec", "graph/entry"}},
    // A copy task is a value of the plan, its columns are a value of the model.
    {"engine/rows", {"base", "flow", "pq", "codec", "model/database", "plan/task"}},
    // The options are values, and say what a run has to do.
    {"engine/run",
     {"api/options", "base", "flow", "codec", "model", "report", "pq", "kinds", "catalog", "graph", "merge",
      "plan", "archive", "rows"}},
    {"engine/api",
     {"base", "flow", "codec", "model", "report", "pq", "kinds", "catalog", "graph", "merge", "plan",
      "archive", "rows", "run"}},
    {"cli", {"api", "report", "base"}},
    {"bench", {"*", "support"}},
    {"tests", {"*"}},
};

// Rooms that wait, and may therefore name Asio themselves.
const std::set<std::string, std::less<>> knows_asio = {"engine/flow", "engine/pq", "engine/rows",
                                                       "engine/run",  "tests",     "bench"};

std::string room_of(std::string_view path) {
    const std::size_t first = path.find('/');
    if (first == std::string_view::npos || !path.starts_with("engine/"))
        return std::string{path.substr(0, first)};
    return std::string{path.substr(0, path.find('/', first + 1))};
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t from = 0;
    while (from < text.size()) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        lines.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return lines;
}

// One run over one file: where it is, and what was found.
struct File {
    const std::string& path;
    std::string room;
    bool is_header;
    std::vector<std::string> raw, code; // lines
    std::vector<std::string> found;

    void complain(std::size_t line, const std::string& what) {
        found.push_back(path + ":" + std::to_string(line + 1) + ": " + what);
    }
};

void check_include(File& file, std::size_t line, const std::string& header, bool quoted) {
    const bool in_engine = file.room.starts_with("engine/");
    if (header == "libpq-fe.h" && file.room != "engine/pq" && file.room != "tests" && file.room != "bench")
        file.complain(line, "libpq-fe.h belongs to engine/pq");
    if (header.starts_with("boost/asio") && !knows_asio.contains(file.room))
        file.complain(line, "this room does not wait: Asio is reached through flow");
    if (in_engine && (header == "iostream" || header == "cstdio"))
        file.complain(line, "nothing prints in the engine: no <" + header + ">");
    if (header == "ranges") file.complain(line, "no range adaptors: clang 14 cannot compile them");
    const std::size_t slash = header.find('/');
    if (!quoted || slash == std::string::npos) return;

    const std::string other = header.substr(0, slash);
    const std::string stem = header.substr(0, header.rfind('.'));
    if (file.room == "engine/" + other || (file.room == "tests" && !may_include.contains("engine/" + other)))
        return;
    const auto rule = may_include.find(file.room);
    if (rule == may_include.end()) {
        file.complain(line, "room " + file.room + " is not in the table of design.md");
    } else if (!rule->second.contains(other) && !rule->second.contains(stem) &&
               !(rule->second.contains("*") && may_include.contains("engine/" + other))) {
        file.complain(line, file.room + " may not include " + header);
    }
}

void check_includes(File& file) {
    static const std::regex include{R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re"};
    std::smatch match;
    for (std::size_t i = 0; i < file.raw.size(); ++i) {
        // Only a directive that is code: not one inside a raw string of a test.
        if (file.code[i].find("#") == std::string::npos || !std::regex_search(file.raw[i], match, include))
            continue;
        check_include(file, i, match[2], match[1] == "\"");
    }
}

void check_words(File& file) {
    static const std::regex prints{
        R"re(fmt::print|std::(cout|cerr|clog|printf|puts|fprintf)\b|\b(printf|fprintf|puts|putchar)\s*\(|\b(stderr|stdout)\b)re"};
    static const std::regex adaptors{R"re(\bviews::|\bstd::ranges::views\b)re"};
    static const std::regex unfinished{std::string{"\\b(TO"} + "DO|FIX" + "ME|XX" + "X)\\b"};
    for (std::size_t i = 0; i < file.code.size(); ++i) {
        if (file.room.starts_with("engine/") && std::regex_search(file.code[i], prints))
            file.complain(i, "nothing prints in the engine");
        if (std::regex_search(file.code[i], adaptors))
            file.complain(i, "no range adaptors: clang 14 cannot compile them");
        if (std::regex_search(file.raw[i], unfinished)) file.complain(i, "unfinished work does not land");
    }
}

// gcc 12 destroys some temporaries of a full expression with co_await twice (style.md, section 0).
void check_statement(File& file, std::size_t line, const std::string& statement) {
    const std::size_t await = statement.find("co_await");
    if (await == std::string::npos) return;
    static const std::regex capturing{R"re([(,=\s]\[[^\]\[]+\]\s*(\(|\{|mutable))re"};
    static const std::regex choice{R"re(\?[^;]*:)re"};
    const std::string rest = statement.substr(await);
    std::size_t depth = 0;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '(') ++depth;
        if (rest[i] == ')' && depth > 0) --depth;
        if (rest[i] != '{' || depth == 0) continue;
        std::size_t word = i;
        while (word > 0 &&
               (std::isalnum(static_cast<unsigned char>(rest[word - 1])) || rest[word - 1] == '_'))
            --word;
        const std::size_t before = rest.find_last_not_of(' ', i - 1);
        // An empty {} stands for a length of time or an empty list, which hold nothing to free.
        const bool empty = i + 1 < rest.size() && rest[i + 1] == '}';
        const bool bare = word == i && !empty && (rest[before] == '(' || rest[before] == ',');
        const bool names_a_type = word < i && std::isupper(static_cast<unsigned char>(rest[word])) != 0;
        if (bare || names_a_type)
            file.complain(
                line, "name the braced argument before the co_await: gcc 12 frees such a temporary twice");
    }
    if (std::regex_search(rest, capturing) && rest.find('(') < rest.find('['))
        file.complain(line,
                      "name the capturing lambda before the co_await: gcc 12 frees such a temporary twice");
    if (std::regex_search(statement, choice))
        file.complain(line, "use if, not ?:, around co_await: gcc 12 frees such a temporary twice");
}

void check_awaits(File& file) {
    std::string statement;
    std::size_t first = 0;
    long depth = 0;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
        for (const char c : file.code[i]) {
            if (statement.empty()) {
                if (c == ' ') continue;
                first = i;
            }
            statement += c;
            if (c == '(') ++depth;
            if (c == ')') --depth;
            // A brace outside of parentheses opens or closes a block, or starts an initialiser: a new
            // expression.
            if (depth <= 0 && (c == ';' || c == '{' || c == '}')) {
                check_statement(file, first, statement);
                statement.clear();
                depth = 0;
            }
        }
        if (!statement.empty()) statement += ' ';
    }
}

void check_form(File& file) {
    if (file.raw.size() > lines_max)
        file.complain(lines_max,
                      std::to_string(file.raw.size()) + " lines, at most 400: split the file by idea");
    if (!file.is_header) return;
    if (file.raw.empty() || !file.raw[0].starts_with("//"))
        file.complain(0, "a header opens with what it promises and what it refuses");
    if (std::find(file.raw.begin(), file.raw.end(), "#pragma once") == file.raw.end())
        file.complain(0, "no #pragma once");
}

// Where the literal that starts at `at` ends; a raw string knows its own delimiter.
std::size_t literal_end(std::string_view text, std::size_t at) {
    const char quote = text[at];
    if (quote == '"' && at > 0 && text[at - 1] == 'R') {
        const std::size_t open = text.find('(', at);
        if (open == std::string_view::npos) return text.size();
        const std::string close = ")" + std::string{text.substr(at + 1, open - at - 1)} + "\"";
        const std::size_t end = text.find(close, open);
        return end == std::string_view::npos ? text.size() : end + close.size() - 1;
    }
    for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == quote)
            return i;
    }
    return at;
}

bool is_digit_separator(std::string_view text, std::size_t at) {
    return text[at] == '\'' && at > 0 && std::isxdigit(static_cast<unsigned char>(text[at - 1])) != 0;
}

} // namespace

std::string code_only(std::string_view text) {
    std::string code{text};
    const auto blank = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < code.size(); ++i)
            if (code[i] != '\n') code[i] = ' ';
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "//") {
            const std::size_t end = std::min(text.find('\n', i), text.size());
            blank(i, end);
            i = end;
        } else if (text.substr(i, 2) == "/*") {
            const std::size_t end = std::min(text.find("*/", i), text.size());
            blank(i, end + 2);
            i = end + 1;
        } else if ((text[i] == '"' || text[i] == '\'') && !is_digit_separator(text, i)) {
            const std::size_t end = literal_end(text, i);
            blank(i + 1, end);
            i = end;
        }
    }
    return code;
}

std::vector<std::string> complaints(const std::string& path, const std::string& text) {
    const bool is_header = path.ends_with(".hpp");
    File file{path, room_of(path), is_header, split_lines(text), {}, {}};
    check_form(file);
    if (!is_header && !path.ends_with(".cpp")) return file.found;
    file.code = split_lines(code_only(text));
    check_includes(file);
    check_words(file);
    check_awaits(file);
    return file.found;
}

std::vector<std::string> top_level_complaints(const std::vector<std::string>& names) {
    static const std::set<std::string> expected = {
        "CMakeLists.txt", "engine", "cli",         "bench",         "tests",      "cmake",
        "README.md",      ".ci",    ".clang-tidy", ".clang-format", ".gitignore", ".editorconfig"};
    std::vector<std::string> found;
    for (const std::string& name : names)
        if (!expected.contains(name)) found.push_back(name + " does not belong to the top level");
    for (const std::string& name : expected)
        if (std::find(names.begin(), names.end(), name) == names.end()) found.push_back(name + " is missing");
    return found;
}

} // namespace pgsluice::tidy
