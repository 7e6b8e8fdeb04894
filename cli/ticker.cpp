#include "ticker.hpp"

namespace pgsluice::cli {

Ticker::Ticker(Renderer& renderer, const Clock& clock, bool with_thread)
    : renderer_(renderer), clock_(clock) {
    if (!with_thread) return;
    thread_ = std::jthread([this](const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        while (!stop.stop_requested()) {
            wake_.wait_for(lock, stop, renderer_.tick_every(), [] { return false; });
            if (stop.stop_requested()) return;
            try {
                renderer_.tick(now());
            } catch (const std::exception&) {
                // As in on().
            }
        }
    });
}

Ticker::~Ticker() { stop_thread(); }

void Ticker::on(const report::Event& event) {
    const std::lock_guard lock{mutex_};
    try {
        collected_.add(event);
        renderer_.on(event, now());
    } catch (const std::exception&) {
        // A log that cannot be written must not stop a refresh half-way.
    }
}

void Ticker::finish(const std::string& summary) {
    stop_thread();
    renderer_.finish(summary, now());
}

void Ticker::fail(const Error& error) {
    stop_thread();
    renderer_.fail(error, now());
}

void Ticker::stop_thread() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

} // namespace pgsluice::cli
