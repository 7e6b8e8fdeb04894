// The process around the program: signals, environment, terminal.
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "api.hpp"
#include "base/stop.hpp"
#include "program.hpp"
#include "world.hpp"

namespace {

using namespace pgsluice::cli;
using pgsluice::StopSource;

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

TerminalSize terminal_size() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, size.ws_row};
}

bool can_move_cursor() {
    const std::string term = environment("TERM").value_or("dumb");
    return ::isatty(STDERR_FILENO) == 1 && !term.empty() && term != "dumb";
}

// Looks up now and then: with a handler installed a signal would not end a read from the terminal.
void await_input(const StopSource& stop) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (!stop.requested())
        if (::poll(&input, 1, 50) > 0) return;
    throw stop.error();
}

// Settings that libpq would send with the startup packet, which poolers refuse; ours go by SET (rules.md
// section 8).
void forget_settings() {
    for (const char* name : {"PGOPTIONS", "PGAPPNAME", "PGCLIENTENCODING", "PGTZ", "PGDATESTYLE", "PGGEQO"})
        ::unsetenv(name);
}

} // namespace

int main(int count, char** words) {
    forget_settings(); // while there is one thread
    const StopSource stop;
    pgsluice::stop_on_signals(stop);
    // A reader that went away (pgsluice plan | head) must not kill a refresh between its two renames.
    std::signal(SIGPIPE, SIG_IGN);
    World world{std::cin,
                std::cout,
                std::cerr,
                ::isatty(STDIN_FILENO) == 1,
                can_move_cursor(),
                terminal_size,
                environment,
                real_clock(),
                true,
                stop,
                [&stop] { await_input(stop); }};
    return run_program(std::vector<std::string>(words + (count > 0 ? 1 : 0), words + count), engine_api(),
                       world);
}
