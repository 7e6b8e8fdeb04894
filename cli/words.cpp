#include "words.hpp"

#include <CLI/CLI.hpp>

#include <utility>

#include "api.hpp"
#include "arguments.hpp"
#include "help.hpp"

namespace pgsluice::cli {

namespace {

void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& list,
              const std::string& help) {
    // Without this a list would swallow the words that follow it.
    app.add_option(name, list, help)->allow_extra_args(false);
}

void add_target(CLI::App& app, Words& words) {
    app.add_option("--target", words.target,
                   "Database to be replaced: conninfo or URI, no password (PGSLUICE_TARGET)");
    app.add_option("--target-password-env", words.target_password_env,
                   "Environment variable with its password");
    app.add_option("--maintenance-db", words.maintenance_db, "Database of the target's server to work from");
}

void add_source(CLI::App& app, Words& words) {
    app.add_option("--source", words.source,
                   "Database to copy: conninfo or URI, no password (PGSLUICE_SOURCE)");
    app.add_option("--source-password-env", words.source_password_env,
                   "Environment variable with its password");
}

void add_output(CLI::App& app, Words& words, bool with_format) {
    if (with_format) app.add_option("--format", words.format, "Format of the answer: text (default), json");
    app.add_option("--report", words.report,
                   "Write a report as JSON to this file, also when the command fails");
    app.add_option("--log", words.log, "Format of the log on standard error: text (default), json lines");
    CLI::Option* verbose =
        app.add_flag("--verbose", words.verbose, "Log each task's start; print everything in full");
    app.add_flag("--quiet", words.quiet, "Log only remarks and errors")->excludes(verbose);
}

void add_jobs(CLI::App& app, Words& words) {
    app.add_option("--jobs", words.jobs,
                   "Lanes, each a connection to both sides (default: cores, at most 4)");
}

// What becomes of the target's own.
void add_merge(CLI::App& app, Words& words) {
    add_list(app, "--keep", words.keep,
             "Carry what this name or pattern means, whatever is recorded; repeatable");
    add_list(app, "--preserve", words.preserve,
             "TABLE[=COLUMN,...]: keep the target's own rows, known by these columns; repeatable");
    add_list(app, "--reference", words.reference,
             "CHILD.COLUMN=PARENT.COLUMN: a reference that no foreign key declares; repeatable");
    app.add_flag("--keep-deleted", words.keep_deleted,
                 "Keep preserved rows that the source has deleted since the last run");
}

void add_migrations(CLI::App& app, Words& words) {
    add_list(app, "--migrations", words.migrations, "Further table with a migration history; repeatable");
    app.add_option("--drift", words.drift,
                   "Target ahead in its migrations: replay at the next restart (default), carry, fail");
    CLI::Option* migrate = app.add_option("--migrate", words.migrate,
                                          "Target ahead: this command brings the new database there");
    app.add_flag("--migrate-shell", words.migrate_shell, "Have sh read the command of --migrate")
        ->needs(migrate);
    app.add_option("--migrate-timeout", words.migrate_timeout, "End the command after this long (default 1h)")
        ->needs(migrate);
    app.add_flag("--no-swap", words.no_swap, "Build the new database and leave it to the command swap");
    app.add_flag("--discard-waiting", words.discard_waiting,
                 "Drop the database that an earlier --no-swap left waiting");
}

void add_refresh(CLI::App& app, Words& words) {
    add_source(app, words);
    add_target(app, words);
    add_jobs(app, words);
    app.add_option("--index-jobs", words.index_jobs, "Index builds at once (default: as many as lanes)");
    app.add_option("--memory", words.memory, "Bytes of rows held between the two servers (default 64MB)");
    app.add_option("--source-yield", words.source_yield,
                   "Give way when somebody waits this long for us (default 5s)");
    app.add_option("--lock-timeout", words.lock_timeout,
                   "Wait at most this long for a source table (default 10s)");
    app.add_option("--extras", words.extras, "What only the target has: keep (default), drop, fail");
    add_merge(app, words);
    CLI::Option* keep =
        app.add_flag("--keep-previous", words.keep_previous, "Keep the old database (default)");
    app.add_flag("--drop-previous", words.drop_previous, "Drop the old database after the swap")
        ->excludes(keep);
    app.add_option("--acl", words.acl, "Whose grants shared objects get: target (default), source, both");
    add_list(app, "--map-role", words.map_role,
             "FROM=TO: owner on the source -> owner on the target; repeatable");
    add_migrations(app, words);
    add_list(app, "--with", words.with,
             "Bring in a kind of wire into the source's world, or all; repeatable");
    app.add_option("--template", words.template_database, "Create the new database from this one");
    app.add_option("--allow-target", words.allow_target,
                   "HOST/DBNAME may be replaced in this run: instead of the mark");
    app.add_option("--verify", words.verify, "Compare rows by counts (default) or checksum");
    app.add_flag("--source-is-right", words.source_is_right, "Go on though the source looks too empty");
    app.add_flag("--strict", words.strict, "Exit 3 when there are remarks");
}

CLI::App* add_command(CLI::App& app, Command command) {
    const CommandHelp& help = help_of(command);
    CLI::App* added = app.add_subcommand(help.name, help.what);
    added->footer(help.examples);
    return added;
}

} // namespace

void add_commands(CLI::App& app, const Api& api, Words& words) {
    if (api.refresh) {
        CLI::App* refresh = add_command(app, Command::refresh);
        add_refresh(*refresh, words);
        add_output(*refresh, words, false);
    }
    for (const auto& [command, there] :
         {std::pair{Command::plan, bool(api.plan)}, {Command::check, bool(api.check)}}) {
        if (!there) continue;
        CLI::App* added = add_command(app, command);
        add_refresh(*added, words);
        add_output(*added, words, true);
    }
    if (api.verify) {
        CLI::App* verify = add_command(app, Command::verify);
        add_source(*verify, words);
        add_target(*verify, words);
        add_jobs(*verify, words);
        verify->add_option("--rows", words.rows, "Compare rows by counts (default) or checksum");
        add_list(*verify, "--with", words.with,
                 "Kinds of wires that the last refresh brought in; repeatable");
        add_output(*verify, words, true);
    }
    const auto add_for_target = [&](Command command) {
        CLI::App* added = add_command(app, command);
        add_target(*added, words);
        add_output(*added, words, true);
        return added;
    };
    if (api.rollback)
        add_for_target(Command::rollback)
            ->add_option("--allow-target", words.allow_target, "HOST/DBNAME: instead of the mark");
    if (api.cleanup)
        add_for_target(Command::cleanup)
            ->add_option("--allow-target", words.allow_target, "HOST/DBNAME: instead of the mark");
    if (api.swap) {
        CLI::App* swap = add_for_target(Command::swap);
        swap->add_option("--allow-target", words.allow_target, "HOST/DBNAME: instead of the mark");
        add_merge(*swap, words);
        swap->add_option("--lock-timeout", words.lock_timeout, "As for refresh (default 10s)");
        swap->add_flag("--drop-previous", words.drop_previous, "Drop the old database after the swap");
        swap->add_flag("--strict", words.strict, "Exit 3 when there are remarks");
    }
    if (api.history)
        add_for_target(Command::history)->add_option("--limit", words.limit, "Runs to print (default 20)");
    if (api.pending) add_for_target(Command::pending);
    if (api.allow_target && api.inspect_target) {
        CLI::App* allow = add_for_target(Command::allow_target);
        add_source(*allow, words);
        allow->add_option("--allowed-source", words.allowed_source, "HOST/DBNAME instead of --source");
        allow->add_option("--yes", words.yes, "The target database's name, instead of typing it back");
    }
}

} // namespace pgsluice::cli
