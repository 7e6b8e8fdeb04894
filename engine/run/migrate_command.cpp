#include "run/migrate_command.hpp"

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/command_words.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "flow/process.hpp"

extern char** environ; // NOLINT(readability-redundant-declaration)

namespace pgsluice::run {

namespace {

constexpr std::size_t lines_told_max = 2000; // the rest is counted
constexpr std::size_t lines_in_error = 20;
constexpr std::size_t line_bytes_max = 1000;

std::vector<std::string> words_of(const RefreshOptions& options) {
    if (options.migrate_shell) return {"sh", "-c", options.migrate};
    return command_words(options.migrate);
}

bool can_run(const std::string& program) {
    const auto executable = [](const std::filesystem::path& path) {
        std::error_code ignored;
        return access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path, ignored);
    };
    if (program.find('/') != std::string::npos) return executable(program);
    const char* const path = std::getenv("PATH");
    std::string_view rest = path ? path : "/usr/bin:/bin";
    for (;;) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const std::string folder{rest.substr(0, end)};
        if (executable(std::filesystem::path(folder.empty() ? "." : folder) / program)) return true;
        if (end == rest.size()) return false;
        rest.remove_prefix(end + 1);
    }
}

// host:port:database:user:password, one line per host; gone with the object.
class PassFile {
public:
    explicit PassFile(const pq::Conninfo& target) {
        std::error_code none;
        std::filesystem::path folder = std::filesystem::temp_directory_path(none);
        if (none) folder = "/tmp";
        path_ = (folder / "pgsluice-pass-XXXXXX").string();
        const int file = mkostemp(path_.data(), O_CLOEXEC); // mode 0600
        if (file < 0) {
            path_.clear();
            throw Error{ErrorKind::refused, "cannot make a password file for the migration command: " +
                                                std::generic_category().message(errno)}
                .object("folder " + folder.string())
                .hint("set TMPDIR to a folder that this user may write to");
        }
        const std::string text = lines(target);
        const bool whole = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        close(file);
        if (!whole) {
            unlink(path_.c_str());
            throw Error{ErrorKind::refused, "cannot write the password file of the migration command"}.object(
                "file " + path_);
        }
    }
    ~PassFile() { unlink(path_.c_str()); }
    PassFile(const PassFile&) = delete;
    PassFile& operator=(const PassFile&) = delete;
    const std::string& path() const { return path_; }

private:
    static std::string escaped(std::string_view text) {
        std::string result;
        for (const char c : text) {
            if (c == ':' || c == '\\') result += '\\';
            result += c;
        }
        return result;
    }
    static std::string lines(const pq::Conninfo& target) {
        const std::string password = target.get("password").value_or("");
        if (password.empty()) return "";
        std::string text;
        const std::string all = target.get("host").value_or("");
        for (std::string_view hosts = all;;) {
            const std::size_t end = std::min(hosts.find(','), hosts.size());
            std::string host{hosts.substr(0, end)};
            // libpq calls its default socket localhost, wherever it is.
            if (host.empty() || host.starts_with('/')) text += line("localhost", target, password);
            if (!host.empty()) text += line(host, target, password);
            if (end == hosts.size()) break;
            hosts.remove_prefix(end + 1);
        }
        if (const auto address = target.get("hostaddr")) text += line(*address, target, password);
        return text;
    }
    static std::string line(const std::string& host, const pq::Conninfo& target,
                            const std::string& password) {
        const bool many = target.port().find(',') != std::string::npos;
        return escaped(host) + ":" + (many ? "*" : escaped(target.port())) + ":*:" + escaped(target.user()) +
               ":" + escaped(password) + "\n";
    }
    std::string path_;
};

// Ours, without what leads to another server or holds a password, and with what leads to `target`.
std::map<std::string, std::string> environment(const Context& context, const pq::Conninfo& target,
                                               const std::string& pass_file) {
    std::map<std::string, std::string> variables;
    for (char** pair = environ; pair && *pair; ++pair) {
        const std::string_view text = *pair;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || text.starts_with("PGSLUICE_")) continue;
        variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
    for (const std::string& name : context.options.connect.password_variables) variables.erase(name);
    for (const auto& [name, value] : target.environment()) {
        variables.erase(name);
        if (!value.empty()) variables[name] = value;
    }
    variables["PGHOST"] = target.get("host").value_or("");
    if (variables["PGHOST"].empty()) variables.erase("PGHOST");
    variables["PGPORT"] = target.port();
    variables["PGUSER"] = target.user();
    variables["PGDATABASE"] = target.database();
    variables["PGPASSFILE"] = pass_file;
    return variables;
}

// What the command says, as lines of the run's log: bounded, and without passwords.
class Output {
public:
    explicit Output(Context& context) : context_(context) {
        for (const pq::Conninfo* side : {&context.source, &context.target})
            if (const auto password = side->get("password"); password && !password->empty())
                secrets_.push_back(*password);
    }
    void add(std::string line) {
        for (const std::string& secret : secrets_)
            for (std::size_t at = line.find(secret); at != std::string::npos; at = line.find(secret, at + 3))
                line.replace(at, secret.size(), "***");
        line = one_line(line);
        last_.push_back(line);
        if (last_.size() > lines_in_error) last_.pop_front();
        if (++count_ <= lines_told_max) context_.step("migrate: " + line);
    }
    void finish() {
        if (count_ > lines_told_max)
            context_.step(fmt::format("migrate: and {} lines more", count_ - lines_told_max));
    }
    std::string last_lines() const { return join({last_.begin(), last_.end()}, "\n    "); }

private:
    Context& context_;
    std::vector<std::string> secrets_;
    std::deque<std::string> last_;
    std::size_t count_ = 0;
};

Error failed(const Context& context, const flow::ProcessEnd& end, const Output& output) {
    std::string why;
    if (end.too_late)
        why = fmt::format(
            "did not end within {} s",
            std::chrono::duration_cast<std::chrono::seconds>(context.options.migrate_timeout).count());
    else if (end.signal != 0)
        why = fmt::format("was ended by signal {}", end.signal);
    else
        why = fmt::format("failed with exit code {}", end.code);
    Error error{ErrorKind::refused, "the command of --migrate " + why};
    error.object("database " + one_line(context.target_database()));
    const std::string said = output.last_lines();
    if (!said.empty()) error.detail("its last lines:\n    " + said);
    return error.hint(end.too_late ? "the target is as it was; --migrate-timeout gives it more time"
                                   : "the target is as it was");
}

} // namespace

void check_migrate_command(const Context& context) {
    if (context.options.migrate.empty()) return;
    const std::vector<std::string> words = words_of(context.options);
    if (words.empty()) throw Error{ErrorKind::usage, "--migrate names no command"};
    if (can_run(words.front())) return;
    throw Error{ErrorKind::usage, "the command of --migrate is no program that can be run"}
        .object("program " + one_line(words.front()))
        .hint("name it with its path, or make it executable; --migrate-shell has sh read the command");
}

Task<void> migrate(Context& context, std::string database) {
    const pq::Conninfo target = context.target.with_database(database);
    const PassFile pass_file(target);
    Output output(context);
    flow::ProcessOptions options;
    options.words = words_of(context.options);
    options.environment = environment(context, target, pass_file.path());
    options.limit = context.options.migrate_timeout;
    options.line_bytes_max = line_bytes_max;
    options.remove_when_killed = pass_file.path();
    options.line = [&output](std::string line) { output.add(std::move(line)); };
    context.step("migrating the new database: " + one_line(options.words.front()));
    const auto began = std::chrono::steady_clock::now();
    const flow::ProcessEnd end = co_await flow::run_process(std::move(options));
    output.finish();
    if (end.too_late || end.signal != 0 || end.code != 0) throw failed(context, end, output);
    report::MigrateRun run;
    run.command = context.options.migrate;
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    context.step(fmt::format("migrated in {:.1f} s", run.seconds));
    context.report.merge.migrated.push_back(std::move(run));
}

} // namespace pgsluice::run
