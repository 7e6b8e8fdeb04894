#include "text_renderer.hpp"

#include <ostream>

#include "base/text.hpp"
#include "event_lines.hpp"

namespace pgsluice::cli {

using namespace std::chrono_literals;

void TextRenderer::on(const report::Event& event, const Now& now) {
    totals_.add(event);
    if (std::holds_alternative<report::RunStarted>(event)) {
        started_ = true;
        progress_at_ = now.steady;
    }
    if (std::holds_alternative<report::RunFinished>(event)) run_finished_ = true;
    rate_.sample(now.steady, totals_.bytes_moved(), totals_.fraction());
    if (wanted(event))
        for (const std::string& text : event_lines(event, verbosity_ == Verbosity::verbose)) line(text, now);
    tick(now);
}

void TextRenderer::tick(const Now& now) {
    if (verbosity_ == Verbosity::quiet || !started_ || run_finished_ || now.steady - progress_at_ < 10s)
        return;
    progress_at_ = now.steady;
    rate_.sample(now.steady, totals_.bytes_moved(), totals_.fraction());
    line(progress_line(totals_, rate_), now);
}

void TextRenderer::finish(const std::string& summary, const Now& now) {
    if (verbosity_ != Verbosity::quiet && !summary.empty()) line(summary, now);
}

void TextRenderer::fail(const Error& error, const Now& now) {
    for (const std::string& text : error_lines(error)) line(text, now);
}

bool TextRenderer::wanted(const report::Event& event) const {
    if (verbosity_ != Verbosity::quiet) return true;
    const auto* task = std::get_if<report::TaskFinished>(&event);
    return std::holds_alternative<report::Remarked>(event) || (task != nullptr && !task->succeeded);
}

void TextRenderer::line(const std::string& text, const Now& now) {
    out_ << format_rfc3339(now.wall) << ' ' << (totals_.run_id.empty() ? "-" : one_line(totals_.run_id))
         << ' ' << text << std::endl; // flushed: a log that is read while it grows
}

} // namespace pgsluice::cli
