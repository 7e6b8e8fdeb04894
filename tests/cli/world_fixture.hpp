// A world without a process: streams as strings, a clock that moves only when told to, an environment as a
// map.
#pragma once
#include <map>
#include <sstream>

#include "world.hpp"

namespace pgsluice::cli {

struct TestWorld {
    std::istringstream in;
    std::ostringstream out, err;
    std::map<std::string, std::string> environment;
    TerminalSize size{80, 24};
    WallTime wall = WallTime{} + std::chrono::seconds(1764115200); // 2025-11-26T00:00:00Z
    std::chrono::steady_clock::time_point steady{std::chrono::hours(1)};

    void pass(std::chrono::milliseconds time) {
        wall += time;
        steady += time;
    }

    World world() {
        World world{in, out, err, false, false, {}, {}, {}, false};
        world.terminal_size = [this] { return size; };
        world.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
        };
        world.clock = {[this] { return wall; }, [this] { return steady; }};
        return world;
    }
};

} // namespace pgsluice::cli
