// Other programs: their output, their ends, and that none of them outlives us.
#include <csignal>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "base/command_words.hpp"
#include "base/error.hpp"
#include "flow/process.hpp"
#include "flow/stop.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace std::chrono_literals;
using flow::ProcessEnd;
using flow::ProcessOptions;

namespace {

using Lines = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

ProcessOptions shell(const std::string& script, Lines* lines) {
    ProcessOptions options;
    options.words = {"sh", "-c", script};
    options.environment = {{"PATH", "/usr/bin:/bin"}, {"GREETING", "good day"}};
    options.limit = 30s;
    options.line = [lines](std::string line) { lines->push_back(std::move(line)); };
    return options;
}

ProcessEnd run(ProcessOptions options) {
    flow::Loops loops(1, 1);
    return flow::run_blocking(loops, flow::run_process(std::move(options)));
}

bool alive(int pid) { return kill(pid, 0) == 0; }

} // namespace

TEST_CASE("a command's text becomes words without a shell") {
    CHECK(command_words("psql -X  -f next.sql") == Lines{"psql", "-X", "-f", "next.sql"});
    CHECK(command_words("a 'b c' \"d 'e' \\\"f\\\"\" g\\ h ''") ==
          Lines{"a", "b c", "d 'e' \"f\"", "g h", ""});
    CHECK(command_words("echo $HOME '\\n' *") == Lines{"echo", "$HOME", "\\n", "*"});
    CHECK(command_words("  ").empty());
    CHECK_THROWS_AS(command_words("a 'b"), Error);
}

TEST_CASE("a process's output comes as lines, from both streams, and its exit code") {
    Lines lines;
    const ProcessEnd end =
        run(shell("echo one; echo two >&2; printf 'three \\377\\001'; echo; printf last; exit 3", &lines));
    CHECK(end.code == 3);
    CHECK(end.signal == 0);
    CHECK_FALSE(end.too_late);
    CHECK(lines == Lines{"one", "two", "three \377\001", "last"});
}

TEST_CASE("a process gets its environment and nothing else: no input, no terminal, no open files") {
    Lines lines;
    const ProcessEnd end =
        run(shell("echo \"$GREETING, ${HOME-nobody}\"; read x || echo no input; ls /proc/self/fd | "
                  "wc -l; (echo x > /dev/tty) 2>/dev/null || echo no terminal",
                  &lines));
    CHECK(end.code == 0);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "good day, nobody");
    CHECK(lines[1] == "no input");
    CHECK(std::stoi(lines[2]) <= 4); // three, and the directory that ls reads
    CHECK(lines[3] == "no terminal");
}

TEST_CASE("huge output is read to its end in bounded memory; a line is cut") {
    std::size_t count = 0, longest = 0;
    ProcessOptions options =
        shell("head -c 100000 /dev/zero | tr '\\0' x; echo; yes 0123456789 | head -n 2000000", nullptr);
    options.line = [&](const std::string& line) {
        ++count;
        longest = std::max(longest, line.size());
    };
    CHECK(run(std::move(options)).code == 0);
    CHECK(count == 2'000'001);
    CHECK(longest == 2000);
}

TEST_CASE("a process that a signal ends says which") {
    Lines lines;
    CHECK(run(shell("kill -SEGV $$", &lines)).signal == SIGSEGV);
}

TEST_CASE("a process that hangs is killed at its limit, with its children, even where they ignore SIGTERM") {
    Lines lines;
    ProcessOptions options = shell("trap '' TERM; sleep 300 & echo $!; echo $$; wait; sleep 300", &lines);
    options.limit = 300ms;
    options.grace = 200ms;
    const auto began = Clock::now();
    const ProcessEnd end = run(std::move(options));
    CHECK(end.too_late);
    CHECK(end.signal == SIGKILL);
    CHECK(Clock::now() - began < 3s);
    REQUIRE(lines.size() == 2);
    std::this_thread::sleep_for(50ms);
    CHECK_FALSE(alive(std::stoi(lines[1])));
}

TEST_CASE("what a process leaves behind in its group neither lives on nor holds us up") {
    Lines lines;
    const auto began = Clock::now();
    CHECK(run(shell("sleep 300 & echo $!", &lines)).code == 0);
    CHECK(Clock::now() - began < 3s);
    REQUIRE(lines.size() == 1);
    // The signal may be on its way for a moment; then it is a zombie until whoever adopts it has looked.
    std::string pid, name, state;
    for (int i = 0; i < 100 && (i == 0 || (!state.empty() && state != "Z" && state != "X")); ++i) {
        if (i > 0) std::this_thread::sleep_for(20ms);
        state.clear();
        std::ifstream status("/proc/" + lines[0] + "/stat");
        status >> pid >> name >> state;
    }
    CHECK((state.empty() || state == "Z" || state == "X"));
}

TEST_CASE("a stop ends a process at once") {
    Lines lines;
    flow::Loops loops(1, 1);
    const StopSource stop;
    std::thread stopper([stop] {
        std::this_thread::sleep_for(200ms);
        stop.request();
    });
    const auto began = Clock::now();
    CHECK_THROWS_AS(
        flow::run_blocking(loops, flow::run_process(shell("echo $$; exec sleep 300", &lines)), stop), Error);
    stopper.join();
    CHECK(Clock::now() - began < 2s);
    REQUIRE(lines.size() == 1);
    CHECK_FALSE(alive(std::stoi(lines[0])));
}

TEST_CASE("a program that is not there is an error, not an exit code") {
    Lines lines;
    ProcessOptions options = shell("", &lines);
    options.words = {"/no/such/program"};
    CHECK_THROWS_AS(run(std::move(options)), Error);
}
