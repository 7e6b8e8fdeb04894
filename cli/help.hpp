// The texts of --help and --version.
#pragma once
#include <array>
#include <string>

#include "arguments.hpp"

namespace pgsluice::cli {

struct CommandHelp {
    const char* name;
    const char* what;
    const char* examples;
};
const CommandHelp& help_of(Command command);
Command command_named(const std::string& name); // of a name that help_of() gave

std::string version_text();
extern const char* const program_description;
extern const char* const program_footer;

// What --with understands: the engine's names of the kinds, with - for the space (rules.md section 13).
inline constexpr std::array wire_kinds = {"all", "user-mapping", "subscription", "event-trigger"};

} // namespace pgsluice::cli
