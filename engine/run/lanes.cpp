#include "run/lanes.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "flow/stop.hpp"
#include "run/lane.hpp"
#include "run/refusal.hpp"

namespace pgsluice::run {

namespace {

using Clock = std::chrono::steady_clock;

// A lane as the main loop sees it.
struct Seat {
    explicit Seat(std::unique_ptr<Lane> sitting) : lane(std::move(sitting)) {}
    std::unique_ptr<Lane> lane;
    asio::cancellation_signal stop;
    bool busy = false;
};

// The scheduler's glue: starts what the plan offers on free lanes, and wakes when something has ended. All of
// it on the main loop.
class Runner : public std::enable_shared_from_this<Runner> {
public:
    Runner(Context& context, plan::Plan& plan, Source* source, const LanesInput& input)
        : context_(context), plan_(plan), source_(source), input_(input), wake_(context.loops.main()),
          budget_(context.options.memory_bytes, input.lanes), siblings_(*input.planned) {
        wake_.expires_at(asio::steady_timer::time_point::max());
    }

    Task<std::vector<ExtraFailure>> run();

private:
    Task<void> open_lanes();
    Task<void> release_source();
    Task<void> drain();
    Task<void> perform_on(Seat& seat, const plan::Task& task);
    Task<TaskResult> performed(Seat& seat, const plan::Task& task, Progress progress);
    Task<void> note_refused(Seat& seat, const plan::Task& task, Error error);
    void start_tasks();
    bool holds_source() const { return source_ != nullptr && !source_->released(); }
    void spawn(Task<void> work, asio::cancellation_signal& stop);
    void finished(const Seat& seat, const plan::Task& task, const TaskResult& result, Clock::duration took);
    void fail(const std::exception_ptr& why);
    void stop_everything();

    Context& context_;
    plan::Plan& plan_;
    Source* source_; // null: none
    const LanesInput& input_;
    asio::steady_timer wake_;
    rows::Budget budget_;
    Siblings siblings_;
    LaneShared shared_;
    std::vector<std::unique_ptr<Seat>> seats_;
    std::exception_ptr failure_;
    std::vector<ExtraFailure> refused_;
    int spawned_ = 0;
    double checksum_seconds_ = 0;
    bool open_ = true; // false: a late progress message must not reach the observer
};

void Runner::fail(const std::exception_ptr& why) {
    if (!failure_) failure_ = why;
    wake_.cancel();
}

void Runner::spawn(Task<void> work, asio::cancellation_signal& stop) {
    ++spawned_;
    const auto ended = [this](const std::exception_ptr& error) {
        --spawned_;
        if (error) fail(error);
        wake_.cancel();
    };
    asio::co_spawn(context_.loops.main(), std::move(work), asio::bind_cancellation_slot(stop.slot(), ended));
}

Task<void> Runner::open_lanes() {
    shared_.source = context_.source;
    shared_.target = context_.target.with_database(input_.database);
    shared_.source_session = context_.session(pq::Side::source);
    shared_.target_session = context_.session(pq::Side::target);
    shared_.old_target = context_.target;
    shared_.target_snapshot = input_.target_snapshot;
    const auto& tables = input_.planned->rows;
    shared_.rows_of_target =
        !input_.target_snapshot.empty() &&
        std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.from_target; });
    if (source_ != nullptr) {
        shared_.snapshot = source_->snapshot();
        if (source_->locks_each_table())
            shared_.refuse_changed = [source = source_,
                                      main = context_.loops.main()](const model::TableRows& table) {
                return flow::on(main, source->check_unchanged(table));
            };
    }
    shared_.siblings = &siblings_;
    shared_.lock_timeout = context_.options.lock_timeout;
    shared_.checksums = context_.options.verify == VerifyDepth::checksum;
    shared_.maintenance_kib = input_.maintenance_kib;
    shared_.planned = input_.planned;
    shared_.graph = input_.graph;
    shared_.helpers = context_.loops.helpers();
    shared_.budget = &budget_;
    for (int i = 0; i < input_.lanes; ++i) {
        auto lane = std::make_unique<Lane>(i, context_.loops.lane(i));
        co_await flow::on(lane->loop(), lane->open(shared_));
        if (source_ != nullptr) source_->add_backend(lane->source_pid());
        seats_.push_back(std::make_unique<Seat>(std::move(lane)));
    }
}

void Runner::finished(const Seat& seat, const plan::Task& task, const TaskResult& result,
                      Clock::duration took) {
    report::TaskFinished event;
    event.task = task.id;
    event.lane = seat.lane->index();
    event.kind = plan::task_kind_name(task.kind);
    event.label = task.label;
    event.bytes = result.bytes;
    event.rows = result.rows;
    event.took = took;
    context_.emit(event);
    for (const report::Remarked& remark : result.remarks)
        context_.remark(remark.object, remark.text, remark.hint, remark.sql);
    for (const report::Noted& note : result.notes) context_.note(note.object, note.text);
    if (task.kind != plan::TaskKind::copy) return;
    if (source_ != nullptr)
        source_->add_backend(seat.lane->source_pid()); // a large row may have given the lane a new session
    const model::TableRows& table = *input_.planned->rows_of(task.table);
    report::TableReport line;
    line.schema = table.schema;
    line.name = table.name;
    line.format = result.format == rows::Format::binary ? "binary" : "text";
    line.rows = result.rows;
    line.bytes = result.bytes;
    if (!result.checksum.empty()) line.checksum = result.checksum;
    checksum_seconds_ += std::chrono::duration<double>(result.checksum_took).count();
    line.seconds = std::chrono::duration<double>(took).count();
    context_.report.tables.push_back(std::move(line));
    context_.report.rows += result.rows;
    context_.report.bytes += result.bytes;
}

Task<void> Runner::perform_on(Seat& seat, const plan::Task& task) {
    report::TaskStarted event;
    event.task = task.id;
    event.lane = seat.lane->index();
    event.kind = plan::task_kind_name(task.kind);
    event.label = task.label;
    event.bytes = task.bytes;
    event.weight = plan::weight_of(task);
    context_.emit(event);
    const Clock::time_point began = Clock::now();
    std::weak_ptr<Runner> weak = weak_from_this();
    const Progress progress = [weak, main = context_.loops.main(), id = task.id,
                               lane = seat.lane->index()](std::uint64_t bytes, std::uint64_t rows) {
        asio::post(main, [weak, id, lane, bytes, rows] {
            const std::shared_ptr<Runner> runner = weak.lock();
            if (!runner || !runner->open_) return;
            report::BytesMoved moved;
            moved.task = id;
            moved.lane = lane;
            moved.bytes = bytes;
            moved.rows = rows;
            runner->context_.emit(moved);
        });
    };
    std::exception_ptr failure;
    std::optional<Error> refused;
    try {
        const TaskResult result = co_await performed(seat, task, progress);
        plan_.finish(task.id, plan::Outcome::succeeded);
        finished(seat, task, result, Clock::now() - began);
    } catch (Error& error) {
        if (error.object().empty()) error.object(task.label);
        if (error.sqlstate() == "53100" && error.hint().empty())
            error.hint("swap needs space for a second copy: free some space or enlarge the target's disk");
        failure = std::current_exception();
        if (task.extra && refuses_the_object(error)) refused = error;
    } catch (...) {
        failure = std::current_exception();
    }
    if (refused) {
        Error why = std::move(*refused);
        co_await note_refused(seat, task, why);
        seat.busy = false;
        co_return;
    }
    seat.busy = false;
    if (!failure) co_return;
    plan_.finish(task.id, plan::Outcome::failed);
    std::rethrow_exception(failure);
}

Task<TaskResult> Runner::performed(Seat& seat, const plan::Task& task, Progress progress) {
    if (task.kind != plan::TaskKind::merge)
        co_return co_await flow::on(seat.lane->loop(),
                                    seat.lane->perform(shared_, task, std::move(progress)));
    if (!input_.merge) throw Error{ErrorKind::internal, "a merge that nobody performs"};
    co_await input_.merge();
    co_return TaskResult{};
}

// What follows the rows of an extra is made without them: an empty table with its keys is nearer to what was
// there.
Task<void> Runner::note_refused(Seat& seat, const plan::Task& task, Error error) {
    co_await flow::on(seat.lane->loop(), seat.lane->recover(shared_));
    refused_.push_back({task.id, error.message(), error.sqlstate()});
    plan_.finish(task.id,
                 task.kind == plan::TaskKind::copy ? plan::Outcome::succeeded : plan::Outcome::failed);
    report::TaskFinished event;
    event.task = task.id;
    event.lane = seat.lane->index();
    event.kind = plan::task_kind_name(task.kind);
    event.label = task.label;
    event.succeeded = false;
    context_.emit(event);
}

void Runner::start_tasks() {
    for (const std::unique_ptr<Seat>& seat : seats_) {
        if (seat->busy) continue;
        const plan::Task* task = plan_.start_next();
        if (task == nullptr) return;
        seat->busy = true;
        spawn(perform_on(*seat, *task), seat->stop);
    }
}

Task<void> Runner::release_source() {
    for (const std::unique_ptr<Seat>& seat : seats_) {
        // A lane that works for the target only may lose its source session meanwhile: nobody uses it any
        // more.
        co_await flow::on(seat->lane->loop(), seat->lane->close_source());
    }
    co_await source_->release();
}

void Runner::stop_everything() {
    for (const std::unique_ptr<Seat>& seat : seats_) seat->stop.emit(asio::cancellation_type::terminal);
}

Task<void> wait_for_wake(asio::steady_timer& wake) {
    boost::system::error_code ignored;
    co_await wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Task<std::vector<ExtraFailure>> Runner::run() {
    co_await open_lanes();
    std::exception_ptr stopped;
    try {
        while (!failure_ && !plan_.done()) {
            if (plan_.copies_left() == 0 && holds_source()) {
                co_await release_source();
                continue; // tasks may have ended meanwhile, and nobody was waiting to be woken
            }
            start_tasks();
            if (plan_.done()) break;
            wake_.expires_at(asio::steady_timer::time_point::max());
            co_await wait_for_wake(wake_);
        }
        if (!failure_ && holds_source()) co_await release_source();
    } catch (...) {
        stopped = std::current_exception();
    }
    if (stopped && !failure_) failure_ = stopped;
    // Else, after a stop, the next co_await would throw, and we be gone while the lanes still work.
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (failure_) stop_everything();
    co_await flow::uninterrupted(drain());
    if (failure_) std::rethrow_exception(failure_);
    if (checksum_seconds_ > 0)
        context_.note(
            "verify",
            fmt::format("the checksums took {:.1f} s of the lanes' time, inside the source's snapshot",
                        checksum_seconds_));
    co_return std::move(refused_);
}

// Waits until nothing that was spawned is left, then closes the lanes: they are on other threads and refer to
// us.
Task<void> Runner::drain() {
    while (spawned_ > 0) {
        wake_.expires_at(asio::steady_timer::time_point::max());
        co_await wait_for_wake(wake_);
    }
    open_ = false;
    for (const std::unique_ptr<Seat>& seat : seats_) {
        co_await flow::on(seat->lane->loop(), seat->lane->close());
        context_.report.source_queries += seat->lane->source_queries();
        context_.report.target_queries += seat->lane->target_queries();
    }
}

Task<int> free_connections(pq::Connection& session) {
    const std::string sql =
        "select least(pg_catalog.current_setting('max_connections')::pg_catalog.int4 "
        "- pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4 "
        // backend_type is hidden from roles that may not read others' statistics; workers have no user
        "- (select count(*) from pg_catalog.pg_stat_activity where backend_type in ('client backend', "
        "'walsender') or (backend_type is null and usesysid is not null)), "
        "(select case when rolconnlimit < 0 then 1000000 else rolconnlimit - (select count(*) from "
        "pg_catalog.pg_stat_activity where usename = current_user) end from pg_catalog.pg_roles "
        "where rolname = current_user), "
        "(select case when datconnlimit < 0 then 1000000 else datconnlimit - (select count(*) from "
        "pg_catalog.pg_stat_activity where datname = pg_catalog.current_database()) end from "
        "pg_catalog.pg_database where datname = pg_catalog.current_database()))";
    const std::string text = co_await session.value(sql);
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    co_return number;
}

} // namespace

Task<std::vector<ExtraFailure>> perform(Context& context, plan::Plan& plan, Source* source,
                                        const LanesInput& input) {
    const auto runner = std::make_shared<Runner>(context, plan, source, input);
    context.report.lanes = input.lanes;
    context.report.tasks = plan.tasks().size();
    co_return co_await runner->run();
}

Task<int> choose_lanes(Context& context, pq::Connection* source, pq::Connection& target,
                       bool rows_of_target) {
    int lanes = context.options.jobs;
    if (lanes <= 0) lanes = std::min(usable_cores(), limits::lanes_default_max);
    lanes = std::min(lanes, limits::lanes_max);
    const int on_target = co_await free_connections(target);
    int on_source = on_target;
    if (source != nullptr) on_source = co_await free_connections(*source);
    const int room_on_target = (on_target - limits::connections_left_free) / (rows_of_target ? 2 : 1);
    const int room = std::min(on_source - limits::connections_left_free, room_on_target);
    if (room < 1)
        throw Error{ErrorKind::refused, "too few free connections"}
            .object(on_source < on_target ? "source" : "target")
            .detail(fmt::format("{} free, of which {} are left to others", std::min(on_source, on_target),
                                limits::connections_left_free))
            .hint("run when fewer clients are connected, or raise max_connections or the CONNECTION LIMIT of "
                  "the role or of the database");
    if (lanes > room) {
        context.note("lanes", fmt::format("{} instead of {}: free connections are few", room, lanes));
        lanes = room;
    }
    co_return lanes;
}

} // namespace pgsluice::run
