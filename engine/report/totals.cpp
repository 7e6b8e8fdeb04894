#include "report/totals.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"

namespace pgsluice::report {

namespace {

template <class... F>
struct Overload : F... {
    using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

double seconds(Duration took) { return std::chrono::duration<double>(took).count(); }

Duration length(double in_seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in_seconds));
}

} // namespace

void Totals::add(const Event& event) {
    const Overload add_one{
        [&](const RunStarted& it) {
            run_id = it.run_id;
            command = it.command;
            source = it.source;
            target = it.target;
        },
        [&](const StepStarted& it) { step = it.text; },
        [&](const PlanMade& it) {
            planned = true;
            tasks = it.tasks;
            weight_planned = it.weight;
            lanes = it.lanes;
        },
        [&](const TaskStarted& it) {
            running[it.lane] = LaneNow{it.task, it.kind, it.label, 0, it.bytes, 0, it.weight};
            weights_[it.task] = it.weight;
        },
        [&](const BytesMoved& it) {
            const auto lane = running.find(it.lane);
            if (lane == running.end() || lane->second.task != it.task) return;
            lane->second.bytes = it.bytes;
            lane->second.rows = it.rows;
        },
        [&](const TaskFinished& it) {
            running.erase(it.lane);
            ++tasks_finished;
            if (!it.succeeded) ++tasks_failed;
            bytes_finished += it.bytes;
            rows_finished += it.rows;
            const auto weight = weights_.find(it.task);
            if (weight == weights_.end()) return;
            weight_passed += weight->second;
            weights_.erase(weight);
        },
        [&](const Remarked&) { ++remarks; },
        [&](const Noted&) { ++notes; },
        [&](const auto&) {},
    };
    std::visit(add_one, event);
}

std::uint64_t Totals::bytes_moved() const {
    std::uint64_t sum = bytes_finished;
    for (const auto& [lane, now] : running) sum += now.bytes;
    return sum;
}

std::uint64_t Totals::rows_moved() const {
    std::uint64_t sum = rows_finished;
    for (const auto& [lane, now] : running) sum += now.rows;
    return sum;
}

double Totals::fraction() const {
    if (!planned) return 0;
    if (weight_planned == 0) {
        if (tasks == 0) return 0;
        return std::min(1.0, static_cast<double>(tasks_finished) / static_cast<double>(tasks));
    }
    auto passed = static_cast<double>(weight_passed);
    for (const auto& [lane, now] : running) {
        if (now.bytes_estimated == 0) continue;
        const double share = static_cast<double>(now.bytes) / static_cast<double>(now.bytes_estimated);
        passed += static_cast<double>(now.weight) * std::min(1.0, share);
    }
    return std::min(1.0, passed / static_cast<double>(weight_planned));
}

std::string task_name(const std::string& kind, const std::string& label) {
    if (label.empty()) return kind;
    if (kind.empty() || kind == "ddl" || label == kind || label.starts_with(kind + " ")) return label;
    return kind + " " + label;
}

void ReportCollector::add(const Event& event) {
    const Overload add_one{
        [&](const RunStarted& it) {
            report_.run_id = it.run_id;
            report_.source = it.source;
            report_.target = it.target;
        },
        [&](const PlanMade& it) {
            report_.tasks = it.tasks;
            report_.lanes = it.lanes;
        },
        [&](const TaskFinished& it) {
            report_.rows += it.rows;
            report_.bytes += it.bytes;
        },
        [&](const SourceReleased& it) { report_.seconds_source_held = seconds(it.held); },
        [&](const Remarked& it) { report_.remarks.push_back(it); },
        [&](const Noted& it) { report_.notes.push_back(it); },
        [&](const Swapped& it) {
            report_.previous = it.previous;
            report_.seconds_away = seconds(it.away);
        },
        [&](const RunFinished& it) {
            if (it.report == nullptr) return;
            report_ = *it.report;
            whole_ = true;
        },
        [&](const auto&) {},
    };
    std::visit(add_one, event);
}

RefreshReport ReportCollector::failed(const Error& error, WallTime started, WallTime finished) const {
    RefreshReport report = report_;
    report.state = "failed";
    if (!whole_) {
        report.started = started;
        report.finished = finished;
        report.seconds = std::chrono::duration<double>(finished - started).count();
    }
    report.error = error.message();
    report.error_sqlstate = error.sqlstate();
    report.error_object = error.object();
    report.error_hint = error.hint();
    return report;
}

std::string summary(const RefreshReport& report) {
    std::string line = fmt::format("{} tables, {} rows, {} in {}", format_count(report.tables.size()),
                                   format_count(report.rows), format_size(report.bytes),
                                   format_length(length(report.seconds)));
    if (report.waiting)
        line += "; database " + one_line(report.waiting->database) + " waits for its swap";
    else
        line += fmt::format("; target away {}", format_length(length(report.seconds_away)));
    line += fmt::format("; source held {}", format_length(length(report.seconds_source_held)));
    if (!report.previous.empty()) line += fmt::format("; the old database is {}", report.previous);
    if (report.merge.applied_again > 0)
        line +=
            fmt::format("; {} migration{} will be applied again at the service's next restart",
                        format_count(report.merge.applied_again), report.merge.applied_again == 1 ? "" : "s");
    if (!report.merge.staying.empty())
        line += fmt::format("; rows of {} stay in {}", one_line(join(report.merge.staying, ", ")),
                            one_line(report.previous));
    const auto counted = [&](std::size_t count, const char* one) {
        if (count > 0) line += fmt::format("; {} {}{}", format_count(count), one, count == 1 ? "" : "s");
    };
    counted(report.remarks.size(), "remark");
    counted(report.notes.size(), "note");
    return line;
}

} // namespace pgsluice::report
