// The command line as values. Nothing here connects, opens a file or prints.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/options.hpp"

namespace pgsluice::cli {

struct Api;
struct World;

enum class Command { refresh, swap, plan, check, verify, rollback, cleanup, history, pending, allow_target };
enum class LogFormat { text, json };
enum class Verbosity { quiet, normal, verbose };
enum class OutputFormat { text, json };

struct Arguments {
    Command command = Command::refresh;
    RefreshOptions refresh; // `connect` and `jobs` serve every command
    VerifyDepth rows = VerifyDepth::counts;
    int runs_max = 20;
    std::string allowed_source, yes;
    OutputFormat format = OutputFormat::text;
    LogFormat log = LogFormat::text;
    Verbosity verbosity = Verbosity::normal;
    std::string report_path;
    // What `plan` needs to print the command of the refresh it describes: the options as given, no log
    // options.
    std::vector<std::string> refresh_words;
};

// What the command line asks for: a command, or a text to print (--help, --version).
struct Parsed {
    std::optional<Arguments> arguments;
    std::string text;
};

// Throws Error{usage}. `words` without the program's name; `api` says which commands exist; the world's
// environment is asked for PGSLUICE_SOURCE, PGSLUICE_TARGET and the variables that hold passwords.
Parsed parse_arguments(const std::vector<std::string>& words, const Api& api, const World& world);

} // namespace pgsluice::cli
