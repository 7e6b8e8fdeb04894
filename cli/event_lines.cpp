#include "event_lines.hpp"

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"

namespace pgsluice::cli {

namespace {

using Lines = std::vector<std::string>;

std::string per_second(double bytes) { return format_size(static_cast<std::uint64_t>(bytes)) + "/s"; }

std::string finished_line(const report::TaskFinished& it) {
    std::string line = (it.succeeded ? "done " : "failed ") + one_line(report::task_name(it.kind, it.label));
    if (it.kind == "copy") line += fmt::format(": {} rows, {}", format_count(it.rows), format_size(it.bytes));
    line += " in " + format_length(it.took);
    const double seconds = std::chrono::duration<double>(it.took).count();
    if (it.kind == "copy" && seconds >= 1)
        line += " (" + per_second(static_cast<double>(it.bytes) / seconds) + ")";
    return line;
}

std::string about(const std::string& object, const std::string& text) {
    return object.empty() ? one_line(text) : one_line(object) + ": " + one_line(text);
}

// One visitor per event; a new event does not compile until somebody has thought about its line.
struct LinesOf {
    bool verbose;

    Lines operator()(const report::RunStarted& it) const {
        std::string line = one_line(it.command);
        if (!it.source.empty()) line += " from " + one_line(it.source);
        if (!it.target.empty()) line += (it.source.empty() ? " of " : " to ") + one_line(it.target);
        return {line};
    }
    Lines operator()(const report::StepStarted& it) const { return {one_line(it.text)}; }
    Lines operator()(const report::PlanMade& it) const {
        return {fmt::format("plan: {} tasks, {} to copy, {} lane{}", format_count(it.tasks),
                            format_size(it.bytes_to_copy), it.lanes, it.lanes == 1 ? "" : "s")};
    }
    Lines operator()(const report::TaskStarted& it) const {
        if (!verbose) return {};
        return {fmt::format("start {} in lane {}", one_line(report::task_name(it.kind, it.label)), it.lane)};
    }
    Lines operator()(const report::BytesMoved&) const { return {}; }
    Lines operator()(const report::TaskFinished& it) const { return {finished_line(it)}; }
    Lines operator()(const report::SourceReleased& it) const {
        return {"source released: its snapshot was held " + format_length(it.held)};
    }
    Lines operator()(const report::Remarked& it) const {
        Lines lines = {"remark: " + about(it.object, it.text)};
        if (!it.hint.empty()) lines.push_back("  HINT: " + one_line(it.hint));
        if (verbose && !it.sql.empty()) lines.push_back("  SQL: " + one_line(it.sql));
        return lines;
    }
    Lines operator()(const report::Noted& it) const { return {"note: " + about(it.object, it.text)}; }
    Lines operator()(const report::Swapped& it) const {
        std::string line = "swapped: the target was away " + format_length(it.away);
        if (!it.previous.empty()) line += ", the old database is " + one_line(it.previous);
        return {line};
    }
    Lines operator()(const report::RunFinished&) const { return {}; }
};

} // namespace

std::vector<std::string> event_lines(const report::Event& event, bool verbose) {
    return std::visit(LinesOf{verbose}, event);
}

std::string progress_line(const report::Totals& totals, const Rate& rate) {
    if (!totals.planned) return "progress: " + one_line(totals.step);
    std::string line = fmt::format("progress {:.0f}%, {} of {} tasks, {} copied, {}", totals.fraction() * 100,
                                   format_count(totals.tasks_finished), format_count(totals.tasks),
                                   format_size(totals.bytes_moved()), per_second(rate.bytes_per_second()));
    if (const auto left = rate.left()) line += ", about " + whole_seconds(*left) + " left";
    constexpr std::size_t named_max = 4;
    std::size_t named = 0;
    for (const auto& [lane, now] : totals.running) {
        if (named == named_max) {
            line += fmt::format(" and {} more", totals.running.size() - named_max);
            break;
        }
        line += (named++ == 0 ? "; " : ", ") + one_line(report::task_name(now.kind, now.label));
    }
    return line;
}

std::string whole_seconds(std::chrono::steady_clock::duration length) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(length);
    return seconds < std::chrono::minutes(1) ? std::to_string(seconds.count()) + " s"
                                             : format_length(seconds);
}

std::vector<std::string> error_lines(const Error& error) {
    Lines lines = {"error: " + one_line(error.message())};
    if (!error.sqlstate().empty()) lines.front() += " [" + one_line(error.sqlstate()) + "]";
    if (!error.object().empty()) lines.push_back("  object: " + one_line(error.object()));
    if (!error.detail().empty()) lines.push_back("  detail: " + one_line(error.detail()));
    if (!error.hint().empty()) lines.push_back("  HINT: " + one_line(error.hint()));
    return lines;
}

} // namespace pgsluice::cli
