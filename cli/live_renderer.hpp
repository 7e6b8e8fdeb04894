// One block on a terminal that is drawn again at most 10 times a second: the whole bar, bytes, rate, time
// left, what each lane does. What stays worth reading (steps, remarks, notes, failures) scrolls up above it.
#pragma once
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "rate.hpp"
#include "renderer.hpp"
#include "report/totals.hpp"
#include "world.hpp"

namespace pgsluice::cli {

class LiveRenderer : public Renderer {
public:
    LiveRenderer(std::ostream& out, Verbosity verbosity, std::function<TerminalSize()> size);
    ~LiveRenderer() override; // the cursor comes back whatever happened

    void on(const report::Event& event, const Now& now) override;
    void tick(const Now& now) override;
    std::chrono::milliseconds tick_every() const override { return std::chrono::milliseconds(200); }
    void finish(const std::string& summary, const Now& now) override;
    void fail(const Error& error, const Now& now) override;

private:
    using Time = std::chrono::steady_clock::time_point;

    std::vector<std::string> block(const Now& now, const TerminalSize& size) const;
    std::string bar_line(const Now& now, std::size_t columns) const;
    void draw(const Now& now);
    void erase(std::string& to);
    void print_above(const std::vector<std::string>& lines, const Now& now);
    void close();

    std::ostream& out_;
    Verbosity verbosity_;
    std::function<TerminalSize()> size_;
    report::Totals totals_;
    Rate rate_;
    std::map<int, Time> lane_since_; // when each lane's task began
    Time started_{}, drawn_at_{};
    std::size_t lines_drawn_ = 0;
    bool running_ = false;
    bool cursor_hidden_ = false;
};

} // namespace pgsluice::cli
