// The threads of a run: one main loop (plan, control connections, observers), N lane loops of one thread
// each, and a small pool of helper threads for zstd and blocking calls. A lane's connections and pipe live on
// one loop and need no locks. Thread-safe: executors may be used from anywhere; construct and destroy on the
// caller's thread.
#pragma once
#include <memory>

#include "flow/task.hpp"

namespace pgsluice::flow {

class Loops {
public:
    Loops(int lane_loops, int helper_threads);
    ~Loops(); // stops the loops and ends their threads, but for an abandoned job that goes on (offload.hpp)
    Loops(const Loops&) = delete;
    Loops& operator=(const Loops&) = delete;

    Executor main() const;
    Executor lane(int index) const; // any index: taken modulo the number of lane loops
    Executor helpers() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pgsluice::flow
