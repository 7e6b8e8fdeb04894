#include "live_renderer.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"
#include "display_width.hpp"
#include "event_lines.hpp"

namespace pgsluice::cli {

using namespace std::chrono_literals;

namespace {

constexpr auto draw_every = 100ms;
constexpr const char* hide_cursor = "\x1b[?25l";
constexpr const char* show_cursor = "\x1b[?25h";

// Worth a line that stays: what a person would scroll back for.
bool stays(const report::Event& event, Verbosity verbosity) {
    if (std::holds_alternative<report::Remarked>(event)) return true;
    const auto* task = std::get_if<report::TaskFinished>(&event);
    if (task != nullptr) return !task->succeeded || verbosity == Verbosity::verbose;
    if (std::holds_alternative<report::StepStarted>(event)) return verbosity == Verbosity::verbose;
    return !std::holds_alternative<report::TaskStarted>(event) || verbosity == Verbosity::verbose;
}

std::string bar(double fraction, std::size_t cells) {
    const auto full = static_cast<std::size_t>(fraction * static_cast<double>(cells));
    return "[" + std::string(full, '#') + std::string(cells - std::min(full, cells), '-') + "]";
}

} // namespace

LiveRenderer::LiveRenderer(std::ostream& out, Verbosity verbosity, std::function<TerminalSize()> size)
    : out_(out), verbosity_(verbosity), size_(std::move(size)) {}

LiveRenderer::~LiveRenderer() { close(); }

void LiveRenderer::on(const report::Event& event, const Now& now) {
    totals_.add(event);
    if (std::holds_alternative<report::RunStarted>(event)) {
        running_ = true;
        started_ = now.steady;
    }
    if (const auto* task = std::get_if<report::TaskStarted>(&event)) lane_since_[task->lane] = now.steady;
    rate_.sample(now.steady, totals_.bytes_moved(), totals_.fraction());
    if (stays(event, verbosity_)) {
        const auto lines = event_lines(event, verbosity_ == Verbosity::verbose);
        if (!lines.empty()) print_above(lines, now);
    }
    tick(now);
    if (std::holds_alternative<report::RunFinished>(event)) close();
}

void LiveRenderer::tick(const Now& now) {
    if (running_ && now.steady - drawn_at_ >= draw_every) draw(now);
}

void LiveRenderer::finish(const std::string& summary, const Now&) {
    close();
    if (!summary.empty())
        out_ << one_line(totals_.run_id) << (totals_.run_id.empty() ? "" : " ") << summary << std::endl;
}

void LiveRenderer::fail(const Error& error, const Now&) {
    close();
    for (const std::string& line : error_lines(error)) out_ << line << '\n';
    out_.flush();
}

std::string LiveRenderer::bar_line(const Now& now, std::size_t columns) const {
    const std::string elapsed = whole_seconds(now.steady - started_);
    if (!totals_.planned)
        return cut_to_width(one_line(totals_.step.empty() ? totals_.command : totals_.step) + "  " + elapsed,
                            columns);
    std::string facts =
        fmt::format(" {:3.0f}%  {}  {}/s  {}", totals_.fraction() * 100, format_size(totals_.bytes_moved()),
                    format_size(static_cast<std::uint64_t>(rate_.bytes_per_second())), elapsed);
    if (const auto left = rate_.left()) facts += ", about " + whole_seconds(*left) + " left";
    constexpr std::size_t cells_min = 10, cells_max = 40;
    const std::size_t taken = facts.size() + 2;
    if (taken + cells_min > columns) return cut_to_width(facts.substr(1), columns);
    return bar(totals_.fraction(), std::min(cells_max, columns - taken)) + facts;
}

std::vector<std::string> LiveRenderer::block(const Now& now, const TerminalSize& size) const {
    // The last column stays empty: some terminals wrap as soon as it is written.
    const auto columns = static_cast<std::size_t>(std::max(20, size.columns) - 1);
    const auto rows = static_cast<std::size_t>(std::max(5, size.rows) - 2);
    std::vector<std::string> lines = {bar_line(now, columns)};
    if (totals_.planned && totals_.running.empty() && !totals_.step.empty())
        lines.push_back(cut_to_width("  " + one_line(totals_.step), columns));
    std::size_t left = totals_.running.size();
    for (const auto& [lane, task] : totals_.running) {
        if (lines.size() + 1 == rows && left > 1) {
            lines.push_back(fmt::format("  and {} more lanes", left));
            break;
        }
        --left;
        std::string facts;
        if (task.kind == "copy")
            facts = task.bytes_estimated > 0 ? fmt::format("{} of about {}", format_size(task.bytes),
                                                           format_size(task.bytes_estimated))
                                             : format_size(task.bytes);
        const auto since = lane_since_.find(lane);
        if (facts.empty() && since != lane_since_.end()) facts = whole_seconds(now.steady - since->second);
        const std::string head = fmt::format("{:>3} ", lane);
        const std::size_t room = columns - std::min(columns, head.size() + facts.size() + 2);
        const std::string name = one_line(report::task_name(task.kind, task.label));
        lines.push_back(
            cut_to_width(head + fit_to_width(name, std::min<std::size_t>(room, 60)) + "  " + facts, columns));
    }
    return lines;
}

void LiveRenderer::draw(const Now& now) {
    std::string text;
    if (!cursor_hidden_) text += hide_cursor;
    cursor_hidden_ = true;
    erase(text);
    const std::vector<std::string> lines = block(now, size_());
    for (const std::string& line : lines) text += line + "\n";
    lines_drawn_ = lines.size();
    drawn_at_ = now.steady;
    out_ << text << std::flush; // one write, so that nothing flickers
}

// Back to the block's first line, and everything below it away.
void LiveRenderer::erase(std::string& to) {
    if (lines_drawn_ > 0) to += fmt::format("\x1b[{}A\r\x1b[J", lines_drawn_);
    lines_drawn_ = 0;
}

void LiveRenderer::print_above(const std::vector<std::string>& lines, const Now& now) {
    const bool had_block = lines_drawn_ > 0;
    std::string text;
    erase(text);
    for (const std::string& line : lines) text += line + "\n";
    out_ << text << std::flush;
    if (had_block) draw(now);
}

void LiveRenderer::close() {
    std::string text;
    erase(text);
    if (cursor_hidden_) text += show_cursor;
    cursor_hidden_ = false;
    running_ = false;
    if (!text.empty()) out_ << text << std::flush;
}

} // namespace pgsluice::cli
