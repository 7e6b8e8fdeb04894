// The blocking form of a story: its threads live as long as the call.
#pragma once
#include "base/cores.hpp"
#include "flow/loops.hpp"
#include "flow/stop.hpp"

namespace pgsluice::run {

template <class Story>
auto run_blocked(int lane_loops, bool stop_on_signals, Story story) {
    flow::Loops loops(lane_loops, usable_cores());
    flow::RunOptions options;
    options.on_signals = stop_on_signals;
    return flow::run_blocking(loops, story(loops), options);
}

} // namespace pgsluice::run
