// Lines for a log: each begins with the RFC 3339 UTC time and the run's id. One per finished task, one of
// progress every 10 seconds.
#pragma once
#include <iosfwd>

#include "arguments.hpp"
#include "rate.hpp"
#include "renderer.hpp"
#include "report/totals.hpp"

namespace pgsluice::cli {

class TextRenderer : public Renderer {
public:
    TextRenderer(std::ostream& out, Verbosity verbosity) : out_(out), verbosity_(verbosity) {}

    void on(const report::Event& event, const Now& now) override;
    void tick(const Now& now) override;
    std::chrono::milliseconds tick_every() const override { return std::chrono::seconds(1); }
    void finish(const std::string& summary, const Now& now) override;
    void fail(const Error& error, const Now& now) override;

private:
    void line(const std::string& text, const Now& now);
    bool wanted(const report::Event& event) const;

    std::ostream& out_;
    Verbosity verbosity_;
    report::Totals totals_;
    Rate rate_;
    std::chrono::steady_clock::time_point progress_at_{}; // of the last progress line
    bool started_ = false;
    bool run_finished_ = false;
};

} // namespace pgsluice::cli
