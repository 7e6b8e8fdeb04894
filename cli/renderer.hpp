// Turns events into what a person or a program reads. Single-threaded and without a clock of its own: Ticker
// brings the time, and calls tick() between events so that a long index build does not look like a hang.
#pragma once
#include <chrono>
#include <string>

#include "base/error.hpp"
#include "report/event.hpp"

namespace pgsluice::cli {

struct Now {
    WallTime wall;
    std::chrono::steady_clock::time_point steady;
};

class Renderer {
public:
    virtual ~Renderer() = default;
    virtual void on(const report::Event& event, const Now& now) = 0;
    virtual void tick(const Now& now) = 0;
    virtual std::chrono::milliseconds tick_every() const = 0;
    // The last things said; no event comes after them.
    virtual void finish(const std::string& summary, const Now& now) = 0;
    virtual void fail(const Error& error, const Now& now) = 0;
};

} // namespace pgsluice::cli
