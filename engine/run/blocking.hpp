// The blocking form of a story: its threads live as long as the call.
#pragma once
#include "base/cores.hpp"
#include "flow/loops.hpp"
#include "flow/stop.hpp"

namespace pgsluice::run {

template <class Story>
auto run_blocked(int lane_loops, const StopSource& stop, Story story) {
    flow::Loops loops(lane_loops, usable_cores());
    return flow::run_blocking(loops, story(loops), stop);
}

} // namespace pgsluice::run
