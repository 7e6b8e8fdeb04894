// The observer that the engine calls: hands events to a renderer, ticks it between them from a thread of its
// own, and keeps what a failed run's report needs.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

#include "renderer.hpp"
#include "report/totals.hpp"
#include "world.hpp"

namespace pgsluice::cli {

class Ticker : public report::Observer {
public:
    Ticker(Renderer& renderer, const Clock& clock, bool with_thread);
    ~Ticker() override;

    void on(const report::Event& event) override;
    // After the engine has returned.
    void finish(const std::string& summary);
    void fail(const Error& error);
    const report::ReportCollector& collected() const { return collected_; }

private:
    Now now() const { return {clock_.wall(), clock_.steady()}; }
    void stop_thread();

    Renderer& renderer_;
    Clock clock_;
    report::ReportCollector collected_;
    std::mutex mutex_; // around renderer_
    std::condition_variable_any wake_;
    std::jthread thread_;
};

} // namespace pgsluice::cli
