// The style is a test: what a machine can check, no reviewer has to. The second half plants faults, so
// that a rule which stops seeing them fails here.
#include "support/catch.hpp"
#include "tidy/rules.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace pgsluice::tidy;
namespace fs = std::filesystem;

namespace {

const fs::path root = PGSLUICE_SOURCE_DIR;

std::string read(const fs::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::size_t count(const std::string& path, const std::string& text) { return complaints(path, text).size(); }

// Inside a coroutine of a room that may wait.
std::size_t in_coroutine(const std::string& statement) {
    return count("engine/run/x.cpp", "Task<void> f() {\n    " + statement + "\n}\n");
}

} // namespace

TEST_CASE("every file follows the style", "[tidy]") {
    std::string all;
    std::size_t files = 0;
    for (const char* top : {"engine", "cli", "bench", "tests", "cmake"}) {
        for (const auto& entry : fs::recursive_directory_iterator{root / top}) {
            if (!entry.is_regular_file()) continue;
            ++files;
            for (const std::string& line : complaints(fs::relative(entry.path(), root), read(entry.path())))
                all += line + "\n";
        }
    }
    INFO(all);
    CHECK(all.empty());
    CHECK(files > 50);
}

TEST_CASE("the top level holds what the design says", "[tidy]") {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{root}) {
        const std::string name = entry.path().filename();
        const bool is_ours = name != ".git" && name != ".cache" && !name.starts_with("build");
        if (is_ours) names.push_back(name);
    }
    for (const std::string& line : top_level_complaints(names)) FAIL_CHECK(line);
}

TEST_CASE("a forbidden include is seen", "[tidy]") {
    CHECK(count("engine/base/x.cpp", "#include \"pq/quote.hpp\"\n") == 1);
    CHECK(count("engine/kinds/x.cpp", "#include \"pq/quote.hpp\"\n#include \"base/text.hpp\"\n") == 0);
    CHECK(count("engine/kinds/x.cpp", "#include \"pq/connection.hpp\"\n") == 1);
    CHECK(count("engine/graph/x.cpp", "#include \"kinds/descriptor.hpp\"\n#include \"graph/entry.hpp\"\n") ==
          0);
    CHECK(count("engine/graph/x.cpp", "#include \"kinds/registry.hpp\"\n") == 1);
    CHECK(count("engine/plan/x.cpp", "#include \"run/lane.hpp\"\n") == 1);
    CHECK(count("engine/nowhere/x.cpp", "#include \"base/text.hpp\"\n") == 1);
    CHECK(count("cli/x.cpp", "#include \"api/refresh.hpp\"\n#include \"command.hpp\"\n") == 0);
    CHECK(count("cli/x.cpp", "#include \"run/lane.hpp\"\n") == 1);
    CHECK(count("bench/x.cpp", "#include \"rows/pipe.hpp\"\n#include \"support/cluster.hpp\"\n") == 0);
    CHECK(count("tests/run/x.cpp", "#include \"run/lane.hpp\"\n#include \"support/cluster.hpp\"\n") == 0);
    CHECK(count("engine/run/x.cpp", "#include <libpq-fe.h>\n") == 1);
    CHECK(count("engine/pq/x.cpp", "#include <libpq-fe.h>\n#include <boost/asio/post.hpp>\n") == 0);
    CHECK(count("engine/model/x.cpp", "#include <boost/asio/post.hpp>\n") == 1);
    CHECK(count("engine/model/x.cpp", "// #include <boost/asio/post.hpp>\n") == 0);
}

TEST_CASE("printing, adaptors and unfinished work are seen", "[tidy]") {
    CHECK(count("engine/run/x.cpp", "void f() { fmt::print(\"x\"); }\n") == 1);
    CHECK(count("engine/run/x.cpp", "void f() { std::cerr << 1; }\n") == 1);
    CHECK(count("cli/x.cpp", "void f() { std::cerr << 1; }\n") == 0);
    CHECK(count("engine/run/x.cpp", "const char* s = \"printf(\";  // stdout of a child\n") == 0);
    CHECK(count("engine/run/x.cpp", "auto x = v | std::views::filter(f);\n") == 1);
    CHECK(count("engine/run/x.cpp", std::string{"// TO"} + "DO: later\n") == 1);
}

TEST_CASE("long files and bare headers are seen", "[tidy]") {
    std::string lines;
    for (int i = 0; i < 400; ++i) lines += "int x;\n";
    CHECK(count("engine/run/x.cpp", lines) == 0);
    CHECK(count("engine/run/x.cpp", lines + "int x;\n") == 1);
    CHECK(count("cmake/script", lines + "x\n") == 1);
    CHECK(count("engine/run/x.hpp", "// Promises.\n#pragma once\n") == 0);
    CHECK(count("engine/run/x.hpp", "#pragma once\n") == 1);
    CHECK(count("engine/run/x.hpp", "// Promises.\n") == 1);
}

TEST_CASE("the traps of gcc 12 around co_await are seen", "[tidy]") {
    CHECK(in_coroutine("co_await f(x, name);") == 0);
    CHECK(in_coroutine("const Rows rows = co_await c.rows(\"select {a}\");") == 0);
    CHECK(in_coroutine("co_await f(x, {});") == 0);
    CHECK(in_coroutine("co_await f(x, Options{});") == 1);
    CHECK(in_coroutine("co_await f({1, 2});") == 1);
    CHECK(in_coroutine("co_await f(a, {.b = 1});") == 1);
    CHECK(in_coroutine("co_await f(a,\n             Options{.b = 1});") == 1);
    CHECK(in_coroutine("co_await f(std::string{\"a\"});") == 0);
    CHECK(in_coroutine("co_await f([&] { return x; });") == 1);
    CHECK(in_coroutine("co_await f(a, [x](int y) { return x + y; });") == 1);
    CHECK(in_coroutine("co_await f([](int y) { return y; });") == 0);
    CHECK(in_coroutine("co_await f(a[i], b[j](1));") == 0);
    CHECK(in_coroutine("auto x = ready ? co_await f() : y;") == 1);
    CHECK(in_coroutine("if (co_await f()) g(x ? 1 : 2);") == 1);
    CHECK(in_coroutine("if (co_await f()) {\n        g(x ? 1 : 2, {1});\n    }") == 0);
    CHECK(in_coroutine("const auto n = 1'000'000; co_await f(n);  // why? so: {x}") == 0);
}

TEST_CASE("strangers on the top level are seen", "[tidy]") {
    std::vector<std::string> names = {"CMakeLists.txt", "engine",      "cli",        "bench",
                                      "tests",          "cmake",       "README.md",  ".ci",
                                      ".clang-format",  ".clang-tidy", ".gitignore", ".editorconfig"};
    CHECK(top_level_complaints(names).empty());
    names.push_back("notes.txt");
    CHECK(top_level_complaints(names).size() == 1);
    names.erase(names.begin());
    CHECK(top_level_complaints(names).size() == 2);
}
