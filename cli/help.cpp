#include "help.hpp"

#include <utility>

namespace pgsluice::cli {

namespace {

constexpr std::pair<Command, CommandHelp> commands[] = {
    {Command::refresh,
     {"refresh", "Copy the source over the target: build a new database beside it, check it, swap",
      "Example:\n"
      "  pgsluice refresh --source 'host=prod-db dbname=app user=reader sslmode=verify-full' \\\n"
      "      --target 'host=preprod-db dbname=app user=owner sslmode=verify-full' \\\n"
      "      --source-password-env PROD_PASSWORD --target-password-env PREPROD_PASSWORD\n"
      "Exit: 0 done, 1 failed and the target is untouched, 2 usage, 3 remarks with --strict,\n"
      "      4 the target needs attention\n"}},
    {Command::swap,
     {"swap",
      "Merge what is the target's own into the database that refresh --no-swap left waiting, and swap it in",
      "The waiting database may have been migrated meanwhile. Exit codes as for refresh.\n"
      "Example:\n  pgsluice swap --target service=preprod\n"}},
    {Command::plan,
     {"plan", "Say what refresh would do; change nothing, lock no table",
      "Example:\n  pgsluice plan --source service=prod --target service=preprod\n"}},
    {Command::check,
     {"check", "Say who and where both sides are, and which rights refresh lacks; write nothing",
      "Exit 1 when a right is missing.\nExample:\n  pgsluice check --source service=prod --target "
      "service=preprod\n"}},
    {Command::verify,
     {"verify", "Compare source and target as they are now",
      "Exit 1 when the schemas differ; rows may differ, both sides live.\n"
      "Example:\n  pgsluice verify --source service=prod --target service=preprod --rows=checksum\n"}},
    {Command::rollback,
     {"rollback", "Exchange the target and its <target>_previous; a second rollback undoes the first",
      "Example:\n  pgsluice rollback --target service=preprod\n"}},
    {Command::cleanup,
     {"cleanup", "Drop <target>_previous and what broken runs have left",
      "Example:\n  pgsluice cleanup --target service=preprod\n"}},
    {Command::history,
     {"history", "List the runs that the target records",
      "Example:\n  pgsluice history --target service=preprod --format json\n"}},
    {Command::pending,
     {"pending", "Print what of the target could not come along, with its SQL",
      "Each later run tries it again, until it works or its line in pgsluice.pending is deleted.\n"
      "Example:\n  pgsluice pending --target service=preprod\n"}},
    {Command::allow_target,
     {"allow-target", "Mark the target as a database that may be replaced by this source",
      "Asks for the target database's name; --yes NAME answers where there is no terminal.\n"
      "Example:\n  pgsluice allow-target --target service=preprod --source service=prod\n"}},
};

} // namespace

const CommandHelp& help_of(Command command) {
    for (const auto& [known, help] : commands)
        if (known == command) return help;
    return commands[0].second;
}

Command command_named(const std::string& name) {
    for (const auto& [command, help] : commands)
        if (name == help.name) return command;
    return Command::refresh;
}

std::string version_text() { return "pgsluice " PGSLUICE_VERSION; }

const char* const program_description =
    "Refreshes a preprod PostgreSQL database from prod: one process, no file, all or nothing.";

const char* const program_footer =
    "Passwords come from --source-password-env and --target-password-env, .pgpass, service files, or the\n"
    "conninfos in PGSLUICE_SOURCE and PGSLUICE_TARGET; never from the command line.\n"
    "\n"
    "First time:\n"
    "  pgsluice check --source service=prod --target service=preprod\n"
    "  pgsluice allow-target --source service=prod --target service=preprod\n"
    "  pgsluice plan --source service=prod --target service=preprod\n"
    "  pgsluice refresh --source service=prod --target service=preprod\n";

} // namespace pgsluice::cli
