// Everything of the outside that the program touches besides the engine, so that tests can be the world.
#pragma once
#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/stop.hpp"

namespace pgsluice::cli {

struct Clock {
    std::function<WallTime()> wall;
    std::function<std::chrono::steady_clock::time_point()> steady;
};
Clock real_clock();

struct TerminalSize {
    int columns = 80, rows = 24;
};

struct World {
    std::istream& in;
    std::ostream& out; // what the command was asked for
    std::ostream& err; // the log, progress and errors
    bool in_is_terminal = false;
    bool err_is_terminal = false; // and knows how to move the cursor
    std::function<TerminalSize()> terminal_size;
    std::function<std::optional<std::string>(const std::string&)> environment;
    Clock clock;
    bool ticks = true; // a thread redraws between events; tests have no use for it
    StopSource stop;   // what SIGINT and SIGTERM ask; handed to the engine
    // Waits until there is something to read from `in`; throws stop.error() when that comes first.
    std::function<void()> await_input;
};

} // namespace pgsluice::cli
