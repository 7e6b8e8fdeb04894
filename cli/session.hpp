// What a command works with, and the commands: each returns its exit code and throws pgsluice::Error.
#pragma once
#include <string>

#include "api.hpp"
#include "arguments.hpp"
#include "ticker.hpp"
#include "world.hpp"

namespace pgsluice::cli {

struct Session {
    const Arguments& arguments;
    const Api& api;
    World& world;
    Ticker& ticker;     // also the observer for the engine
    std::string report; // JSON for --report: set by the command

    // Prints the answer in the format asked for, and keeps the JSON for --report.
    void answer(const std::string& text, std::string json);
};

int refresh_command(Session& session);
int swap_command(Session& session);
int plan_command(Session& session);
int check_command(Session& session);
int verify_command(Session& session);
int rollback_command(Session& session);
int cleanup_command(Session& session);
int history_command(Session& session);
int pending_command(Session& session);
int allow_target_command(Session& session);

} // namespace pgsluice::cli
