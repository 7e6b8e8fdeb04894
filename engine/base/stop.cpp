#include "base/stop.hpp"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <vector>

namespace pgsluice {

struct StopSource::State {
    std::mutex mutex;
    bool requested = false;
    int signal = 0;
    std::vector<const std::function<void()>*> listeners;
};

StopSource::Listener::Listener(std::shared_ptr<State> state, std::function<void()> tell)
    : state_(std::move(state)), tell_(std::move(tell)) {
    const std::lock_guard lock(state_->mutex);
    state_->listeners.push_back(&tell_);
    if (state_->requested) tell_();
}

StopSource::Listener::~Listener() {
    const std::lock_guard lock(state_->mutex);
    std::erase(state_->listeners, &tell_);
}

StopSource::StopSource() : state_(std::make_shared<State>()) {}

void StopSource::request(int signal) const {
    const std::lock_guard lock(state_->mutex);
    state_->requested = true;
    if (state_->signal == 0) state_->signal = signal;
    for (const std::function<void()>* tell : state_->listeners) (*tell)();
}

bool StopSource::requested() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requested;
}

int StopSource::signal() const {
    const std::lock_guard lock(state_->mutex);
    return state_->signal;
}

Error StopSource::error() const {
    switch (signal()) {
    case SIGINT: return Error{ErrorKind::stopped, "stopped by SIGINT"};
    case SIGTERM: return Error{ErrorKind::stopped, "stopped by SIGTERM"};
    default: return Error{ErrorKind::stopped, "stopped on request"};
    }
}

StopSource::Listener StopSource::listen(std::function<void()> tell) const {
    return Listener{state_, std::move(tell)};
}

} // namespace pgsluice
