#include "program.hpp"

#include <memory>
#include <ostream>

#include "event_lines.hpp"
#include "json_renderer.hpp"
#include "live_renderer.hpp"
#include "report_file.hpp"
#include "session.hpp"
#include "text_renderer.hpp"

namespace pgsluice::cli {

namespace {

std::unique_ptr<Renderer> make_renderer(const Arguments& arguments, const World& world) {
    if (arguments.log == LogFormat::json)
        return std::make_unique<JsonRenderer>(world.err, arguments.verbosity);
    if (world.err_is_terminal && arguments.verbosity != Verbosity::quiet)
        return std::make_unique<LiveRenderer>(world.err, arguments.verbosity, world.terminal_size);
    return std::make_unique<TextRenderer>(world.err, arguments.verbosity);
}

int run_command(Session& session) {
    switch (session.arguments.command) {
    case Command::refresh: return refresh_command(session);
    case Command::swap: return swap_command(session);
    case Command::plan: return plan_command(session);
    case Command::check: return check_command(session);
    case Command::verify: return verify_command(session);
    case Command::rollback: return rollback_command(session);
    case Command::cleanup: return cleanup_command(session);
    case Command::history: return history_command(session);
    case Command::pending: return pending_command(session);
    case Command::allow_target: return allow_target_command(session);
    }
    throw Error{ErrorKind::internal, "unknown command"};
}

bool only_asks(Command command) {
    switch (command) {
    case Command::plan:
    case Command::check:
    case Command::verify:
    case Command::history:
    case Command::pending: return true;
    default: return false;
    }
}

// Any exception as ours, so that it has a kind.
Error as_error(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) {
        return error;
    } catch (...) {
        return Error{ErrorKind::internal, describe(thrown)};
    }
}

int run_parsed(const Arguments& arguments, const Api& api, World& world) {
    ReportFile file{arguments.report_path};
    const std::unique_ptr<Renderer> renderer = make_renderer(arguments, world);
    Ticker ticker{*renderer, world.clock, world.ticks};
    Session session{arguments, api, world, ticker, ""};
    const WallTime started = world.clock.wall();
    int code = 0;
    try {
        code = run_command(session);
    } catch (...) {
        const Error error = as_error(std::current_exception());
        ticker.fail(error);
        session.report = to_json(ticker.collected().failed(error, started, world.clock.wall()));
        code = exit_code(error.kind());
    }
    try {
        file.write(session.report);
    } catch (const Error& error) {
        // The exit code stays what the run deserves: a refresh that has swapped must not be tried again, as
        // the next one would drop the only true <target>_previous.
        ticker.fail(error);
    }
    return code;
}

} // namespace

void Session::answer(const std::string& text, std::string json) {
    if (arguments.format == OutputFormat::json)
        world.out << json << '\n';
    else
        world.out << text;
    world.out.flush();
    report = std::move(json);
    // Whoever only asked has got nothing; what else was done is done, whether somebody reads it or not.
    if (!world.out && only_asks(arguments.command))
        throw Error{ErrorKind::internal, "cannot write the answer to standard output"}.hint(
            "is the disk full, or has the reader gone away?");
}

int run_program(const std::vector<std::string>& words, const Api& api, World& world) {
    try {
        const Parsed parsed = parse_arguments(words, api, world);
        if (parsed.arguments) return run_parsed(*parsed.arguments, api, world);
        world.out << parsed.text << std::flush;
        return 0;
    } catch (...) {
        const Error error = as_error(std::current_exception());
        for (const std::string& line : error_lines(error)) world.err << "pgsluice: " << line << '\n';
        world.err.flush();
        return exit_code(error.kind());
    }
}

} // namespace pgsluice::cli
