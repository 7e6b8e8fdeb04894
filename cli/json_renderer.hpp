// JSON lines: one object per event, each with time and run id. BytesMoved comes at most once a second and
// lane.
#pragma once
#include <iosfwd>
#include <map>
#include <string>

#include "arguments.hpp"
#include "renderer.hpp"

namespace pgsluice::cli {

class JsonRenderer : public Renderer {
public:
    JsonRenderer(std::ostream& out, Verbosity verbosity) : out_(out), verbosity_(verbosity) {}

    void on(const report::Event& event, const Now& now) override;
    void tick(const Now&) override {}
    std::chrono::milliseconds tick_every() const override { return std::chrono::seconds(1); }
    void finish(const std::string& summary, const Now& now) override;
    void fail(const Error& error, const Now& now) override;

private:
    bool wanted(const report::Event& event, const Now& now);

    std::ostream& out_;
    Verbosity verbosity_;
    std::string run_id_;
    std::map<int, std::chrono::steady_clock::time_point> moved_at_; // by lane: the last BytesMoved
};

} // namespace pgsluice::cli
