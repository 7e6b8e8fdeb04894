// Performs a plan: N lanes pull tasks, best critical path first, until none is left or one fails. A lane is a
// source session, a target session and a pipe on one event loop; the plan stays on the main loop.
#pragma once
#include <functional>
#include <vector>

#include "graph/graph.hpp"
#include "model/database.hpp"
#include "plan/plan.hpp"
#include "run/context.hpp"
#include "run/source.hpp"

namespace pgsluice::run {

struct LanesInput {
    const model::Database* planned = nullptr; // what is being built; TableRows for the copies
    const graph::Graph* graph = nullptr;
    std::string database; // the new database
    int lanes = 1;
    int index_builds = 1;
    std::uint64_t maintenance_kib = 0; // maintenance_work_mem of one index build; 0: the server's own
    std::string target_snapshot;       // for the rows of extras; empty: none are copied
    std::function<Task<void>()> merge; // performs TaskKind::merge, on the main loop
};

// A task of an extra that the server refused.
struct ExtraFailure {
    plan::TaskId task = 0;
    std::string message, sqlstate;
};

// Releases the source's snapshot as soon as the last row has been read; null: there is no source, and no row
// of it to copy. The first failure cancels what runs and is rethrown, with the task's name; but where the
// server refuses an extra, everything else goes on. Fills context.report (tables, rows, bytes, tasks).
Task<std::vector<ExtraFailure>> perform(Context& context, plan::Plan& plan, Source* source,
                                        const LanesInput& input);

// rules.md section 8: --jobs, else cores of the cgroup, at most 4; fewer where either server has not that
// many free connections (10 are left). With `rows_of_target` a lane has two sessions on the target's server.
Task<int> choose_lanes(Context& context, pq::Connection* source, pq::Connection& target, bool rows_of_target);

} // namespace pgsluice::run
