#include "arguments.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

#include "api.hpp"
#include "base/size.hpp"
#include "help.hpp"
#include "secrets.hpp"
#include "values.hpp"
#include "words.hpp"
#include "world.hpp"

namespace pgsluice::cli {

namespace {

void refuse_password(const char* option, const std::string& conninfo, const char* variable,
                     const char* password_option) {
    if (!holds_password(conninfo)) return;
    throw Error{ErrorKind::usage,
                std::string(option) + " holds a password, which everybody on this machine can read"}
        .hint(std::string("leave it out and use ") + password_option +
              ", .pgpass, or put the whole conninfo into " + variable);
}

// What the command line says, else the environment.
std::string conninfo(const std::string& word, const char* variable, const World& world) {
    return word.empty() ? world.environment(variable).value_or("") : word;
}

std::string password(const char* option, const std::string& variable, const World& world) {
    if (variable.empty()) return "";
    const auto value = world.environment(variable);
    if (value && !value->empty()) return *value;
    throw Error{ErrorKind::usage, std::string(option) + ": environment variable " + variable +
                                      (value ? " is empty" : " is not set")}
        .hint("in Kubernetes: check the name of the secret's key and of the variable");
}

void require(const std::string& conninfo, const char* side, const char* option, const char* variable) {
    if (!conninfo.empty()) return;
    throw Error{ErrorKind::usage, std::string("no ") + side + " given"}.hint(std::string("use ") + option +
                                                                             " or " + variable);
}

void read_connections(const Words& words, const World& world, Arguments& arguments) {
    refuse_password("--source", words.source, "PGSLUICE_SOURCE", "--source-password-env");
    refuse_password("--target", words.target, "PGSLUICE_TARGET", "--target-password-env");
    ConnectOptions& connect = arguments.refresh.connect;
    connect.source = conninfo(words.source, "PGSLUICE_SOURCE", world);
    connect.target = conninfo(words.target, "PGSLUICE_TARGET", world);
    require(connect.target, "target", "--target", "PGSLUICE_TARGET");
    switch (arguments.command) {
    case Command::refresh:
    case Command::plan:
    case Command::check:
    case Command::verify: require(connect.source, "source", "--source", "PGSLUICE_SOURCE"); break;
    case Command::allow_target:
        if (words.allowed_source.empty())
            require(connect.source, "source", "--source, --allowed-source", "PGSLUICE_SOURCE");
        break;
    default: break;
    }
    connect.source_password = password("--source-password-env", words.source_password_env, world);
    connect.target_password = password("--target-password-env", words.target_password_env, world);
    for (const std::string& variable : {words.source_password_env, words.target_password_env})
        if (!variable.empty()) connect.password_variables.push_back(variable);
    connect.maintenance_db = words.maintenance_db;
    connect.stop = world.stop;
}

void read_limits(const Words& words, RefreshOptions& refresh) {
    if (!words.jobs.empty()) refresh.jobs = to_number("--jobs", words.jobs, 1, limits::lanes_max);
    if (!words.index_jobs.empty())
        refresh.index_jobs = to_number("--index-jobs", words.index_jobs, 1, limits::lanes_max);
    if (!words.memory.empty()) refresh.memory_bytes = to_size("--memory", words.memory);
    const auto lanes = static_cast<std::size_t>(refresh.jobs > 0 ? refresh.jobs : 1);
    if (refresh.memory_bytes < lanes * limits::memory_bytes_min_per_lane)
        throw Error{ErrorKind::usage, "--memory " + format_size(refresh.memory_bytes) +
                                          " is too little for " + std::to_string(lanes) +
                                          (lanes == 1 ? " lane" : " lanes")}
            .hint("each lane needs " + format_size(limits::memory_bytes_min_per_lane) +
                  ": raise --memory or lower --jobs");
    if (!words.source_yield.empty()) refresh.source_yield = to_length("--source-yield", words.source_yield);
    if (!words.lock_timeout.empty()) refresh.lock_timeout = to_length("--lock-timeout", words.lock_timeout);
    if (!words.migrate_timeout.empty())
        refresh.migrate_timeout = to_length("--migrate-timeout", words.migrate_timeout);
    // To the server 0 means to wait for ever, with prod's sessions queueing behind us.
    if (refresh.lock_timeout.count() == 0)
        throw Error{ErrorKind::usage, "--lock-timeout cannot be 0"}.hint("give a length of time such as 10s");
}

void read_choices(const Words& words, Arguments& arguments) {
    RefreshOptions& refresh = arguments.refresh;
    const Choices<VerifyDepth> depths = {{"counts", VerifyDepth::counts},
                                         {"checksum", VerifyDepth::checksum}};
    if (!words.extras.empty())
        refresh.extras = to_choice<ExtrasChoice>(
            "--extras", words.extras,
            {{"keep", ExtrasChoice::keep}, {"drop", ExtrasChoice::drop}, {"fail", ExtrasChoice::fail}});
    if (!words.acl.empty())
        refresh.acl = to_choice<AclSource>(
            "--acl", words.acl,
            {{"target", AclSource::target}, {"source", AclSource::source}, {"both", AclSource::both}});
    if (!words.drift.empty())
        refresh.drift = to_choice<DriftChoice>(
            "--drift", words.drift,
            {{"replay", DriftChoice::replay}, {"carry", DriftChoice::carry}, {"fail", DriftChoice::fail}});
    if (!words.verify.empty()) refresh.verify = to_choice("--verify", words.verify, depths);
    if (!words.rows.empty()) arguments.rows = to_choice("--rows", words.rows, depths);
    if (!words.format.empty())
        arguments.format = to_choice<OutputFormat>(
            "--format", words.format, {{"text", OutputFormat::text}, {"json", OutputFormat::json}});
    if (!words.log.empty())
        arguments.log =
            to_choice<LogFormat>("--log", words.log, {{"text", LogFormat::text}, {"json", LogFormat::json}});
    for (std::string kind : words.with) {
        Choices<bool> kinds;
        for (const char* known : wire_kinds) kinds.emplace_back(known, true);
        to_choice("--with", kind, kinds);
        std::replace(kind.begin(), kind.end(), '-', ' ');
        refresh.with_kinds.push_back(std::move(kind));
    }
    if (words.verbose) arguments.verbosity = Verbosity::verbose;
    if (words.quiet) arguments.verbosity = Verbosity::quiet;
}

Arguments read_words(const Words& words, Command command, const World& world) {
    Arguments arguments;
    arguments.command = command;
    RefreshOptions& refresh = arguments.refresh;
    read_connections(words, world, arguments);
    read_limits(words, refresh);
    read_choices(words, arguments);
    refresh.keep_previous = !words.drop_previous;
    refresh.migrate = words.migrate;
    refresh.migrate_shell = words.migrate_shell;
    refresh.swap = !words.no_swap;
    refresh.discard_waiting = words.discard_waiting;
    refresh.map_roles = to_role_map(words.map_role);
    refresh.keep = words.keep;
    refresh.preserve = words.preserve;
    refresh.references = words.reference;
    refresh.keep_deleted = words.keep_deleted;
    refresh.migration_tables = words.migrations;
    refresh.template_database = words.template_database;
    if (!words.allow_target.empty())
        refresh.allow_target = to_host_and_database("--allow-target", words.allow_target);
    refresh.source_is_right = words.source_is_right;
    refresh.strict = words.strict;
    if (!words.allowed_source.empty())
        arguments.allowed_source = to_host_and_database("--allowed-source", words.allowed_source);
    arguments.yes = words.yes;
    if (!words.limit.empty()) arguments.runs_max = to_number("--limit", words.limit, 1, 1000);
    arguments.report_path = words.report;
    return arguments;
}

// The options as given, but for those that shape the output of this command only.
std::vector<std::string> refresh_words(const CLI::App& command) {
    constexpr std::array left_out = {"--help", "--format", "--report", "--log", "--verbose", "--quiet"};
    std::vector<std::string> words;
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_name();
        if (option->count() == 0 || std::find(left_out.begin(), left_out.end(), name) != left_out.end())
            continue;
        if (option->get_items_expected() == 0) {
            words.push_back(name);
            continue;
        }
        for (const std::string& value : option->results()) {
            words.push_back(name);
            words.push_back(value);
        }
    }
    return words;
}

// CLI11's own texts, in our form. What was not expected is not repeated but for option names: it may be the
// rest of a conninfo that was not quoted, with a password in it.
[[noreturn]] void rethrow(const CLI::App& app, const CLI::ParseError& error) {
    const auto used = app.get_subcommands();
    const std::string command = used.empty() ? "pgsluice" : "pgsluice " + used.front()->get_name();
    std::string message = error.what(), hint = command + " --help lists what there is";
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        const std::vector<std::string> left = app.remaining(true);
        message =
            used.empty() ? "this is no command of pgsluice" : "a word was not expected after " + command;
        if (!used.empty()) hint += "; a conninfo with spaces needs quotes";
        for (const std::string& word : left)
            if (word.starts_with("-")) {
                message = "option " + word.substr(0, word.find('=')) + " is not known to " + command;
                break;
            }
    } else if (!message.empty()) {
        message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
    }
    throw Error{ErrorKind::usage, message}.hint(hint);
}

} // namespace

Parsed parse_arguments(const std::vector<std::string>& words, const Api& api, const World& world) {
    Words given;
    CLI::App app{program_description, "pgsluice"};
    app.footer(program_footer);
    app.set_version_flag("--version", version_text());
    app.require_subcommand(0, 1);
    add_commands(app, api, given);
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend())); // CLI11 takes them from the end
    } catch (const CLI::CallForVersion& version) {
        return {std::nullopt, std::string(version.what()) + "\n"};
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, app.help()};
    } catch (const CLI::ParseError& error) {
        rethrow(app, error);
    }
    const auto used = app.get_subcommands();
    if (used.empty())
        throw Error{ErrorKind::usage, "no command given"}.hint("pgsluice --help lists the commands");
    const CLI::App& command = *used.front();
    Arguments arguments = read_words(given, command_named(command.get_name()), world);
    arguments.refresh_words = refresh_words(command);
    return {std::move(arguments), ""};
}

} // namespace pgsluice::cli
