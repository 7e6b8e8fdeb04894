#include "run/story.hpp"

#include <exception>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "flow/stop.hpp"
#include "run/journal.hpp"
#include "run/new_database.hpp"

namespace pgsluice::run {

namespace {

constexpr int clean_up_attempts = 20;

// The failure is told to the target's journal and the new database goes, so that the target is as it was.
Task<void> drop_what_was_made(Context& context, const Made& made) {
    if (!made.database.empty()) {
        pq::Connection maintenance = co_await open_maintenance(context);
        const std::optional<DatabaseFacts> found = co_await find_database(maintenance, made.database);
        // Nobody but us and the command of --migrate has business in it.
        if (found) co_await drop_database(maintenance, made.database, found->oid, true);
    }
    pq::Connection target = co_await open_target(context, context.target_database());
    co_await end_run(target, context.run_id, context.report.state, to_json(context.report, false), "", 0);
}

Task<void> drop_when_it_answers(Context& context, const Made& made) {
    for (int attempt = 1;; ++attempt) {
        bool away = false;
        try {
            co_await drop_what_was_made(context, made);
        } catch (const Error& error) {
            away = error.kind() == ErrorKind::connection;
            if (!away || attempt >= clean_up_attempts) throw;
        }
        if (!away) co_return;
        co_await flow::sleep_for(std::chrono::seconds(1));
    }
}

Task<void> clean_up(Context& context, const Made& made, bool stopped) {
    if (!made.journal) co_return;
    // Whoever stops us waits five seconds and then kills; a failed run may take its time.
    const flow::Duration limit =
        stopped ? flow::Duration(limits::stop_grace) : limits::statement_timeout_default;
    // A server that was restarted answers again soon; whoever stops us does not wait for that.
    Task<void> work = stopped ? drop_what_was_made(context, made) : drop_when_it_answers(context, made);
    try {
        co_await flow::with_timeout(std::move(work), limit, "cleaning up");
    } catch (const std::exception& error) {
        context.note("database " + one_line(made.database),
                     "could not be cleaned up now, the next run or pgsluice cleanup does: " +
                         one_line(error.what()));
    }
}

// A cancellation has no words of its own.
std::exception_ptr in_words(const Context& context, std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) return failure;
        Error stopped = context.options.connect.stop.error();
        stopped.hint("the target is as it was; run again");
        return std::make_exception_ptr(stopped);
    } catch (...) {
        return failure;
    }
}

// Whatever the server says, nobody is left without a word of what to do.
std::exception_ptr with_hint(std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (Error& error) {
        if (!error.hint().empty() || error.kind() == ErrorKind::attention) return failure;
        error.hint("the target is as it was: mend what the message names and run again");
        return std::current_exception();
    } catch (...) {
        return failure;
    }
}

// Message, SQLSTATE and hint of the failure into the report, before the journal keeps it. Whether it was a
// stop.
bool record_outcome(Context& context, const std::exception_ptr& failure) {
    context.report.finished = std::chrono::system_clock::now();
    context.report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    context.report.state = context.report.waiting ? "waiting" : "swapped";
    if (failure) context.report.state = "failed";
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        context.report.error = error.message();
        context.report.error_sqlstate = error.sqlstate();
        context.report.error_object = error.object();
        context.report.error_hint = error.hint();
        if (error.kind() == ErrorKind::stopped) context.report.state = "stopped";
    } catch (const std::exception& error) {
        context.report.error = error.what();
    }
    return context.report.state == "stopped";
}

// Then nothing may be dropped, and the journal that may be in the target by now says what is true.
bool may_have_swapped(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::attention;
    } catch (...) {
        return false;
    }
}

void announce_end(Context& context, const std::exception_ptr& failure) {
    report::RunFinished finished;
    finished.took = std::chrono::steady_clock::now() - context.began;
    finished.succeeded = failure == nullptr;
    if (failure) finished.text = describe(failure);
    finished.report = &context.report;
    context.emit(finished);
}

} // namespace

Task<report::RefreshReport> tell_story(Context& context, Made& made, Task<void> steps) {
    std::exception_ptr failure;
    try {
        co_await std::move(steps);
    } catch (...) {
        failure = with_hint(in_words(context, std::current_exception()));
    }
    const bool stopped = record_outcome(context, failure);
    if (failure && !may_have_swapped(failure)) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_await flow::uninterrupted(clean_up(context, made, stopped));
    }
    announce_end(context, failure);
    if (failure) std::rethrow_exception(failure);
    co_return context.report;
}

} // namespace pgsluice::run
