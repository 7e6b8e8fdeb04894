// Asking a run to stop. A request is remembered: one that comes before the run begins stops it at its first
// wait, one that comes after its end changes nothing.
#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"

namespace pgsluice {

// From any thread. Copies are the same source.
class StopSource {
public:
    struct State;
    // Calls what it was made with at each request, on the requesting thread, until it is destroyed.
    class Listener {
    public:
        Listener(std::shared_ptr<State> state, std::function<void()> tell);
        ~Listener();
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;

    private:
        std::shared_ptr<State> state_;
        std::function<void()> tell_;
    };

    StopSource();
    void request(int signal = 0) const;
    bool requested() const;
    int signal() const; // the first one that asked, 0 for none
    // Error{stopped} in words: "stopped by SIGINT", or "stopped on request".
    Error error() const;
    // `tell` must not wait, nor use this source. A request that came before makes its call at once.
    [[nodiscard]] Listener listen(std::function<void()> tell) const;

private:
    std::shared_ptr<State> state_;
};

// For a program, first thing in its main(): from the call until the process has ended, SIGINT and SIGTERM ask
// `stop` and do nothing else, so that there is no moment at which they kill. A later call's source takes the
// place of the one before. No signal is blocked in any thread, and exec() forgets handlers: a child process
// gets both signals with their default effect, without anybody's doing.
void stop_on_signals(const StopSource& stop);

} // namespace pgsluice
