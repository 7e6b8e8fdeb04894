// What the command line may hold: every command's options, with their help.
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pgsluice::cli {

struct Api;

// The words as given; one of these serves whichever command is used.
struct Words {
    std::string source, target, source_password_env, target_password_env, maintenance_db;
    std::string jobs, index_jobs, memory, source_yield, lock_timeout;
    std::string drift, migrate, migrate_timeout;
    bool migrate_shell = false, no_swap = false, discard_waiting = false;
    std::string extras, acl, verify, rows, template_database, allow_target;
    std::vector<std::string> keep, preserve, reference, map_role, migrations, with;
    bool keep_deleted = false;
    bool keep_previous = false, drop_previous = false, source_is_right = false, strict = false;
    std::string allowed_source, yes, limit;
    std::string format, log, report;
    bool verbose = false, quiet = false;
};

// Only what this build has, so that help and errors tell the truth.
void add_commands(CLI::App& app, const Api& api, Words& words);

} // namespace pgsluice::cli
