// The scheduler as a value: tasks with states, limits and locks. No clock, no connection: run/ asks for the
// next task and reports outcomes, tests do the same by hand. Not thread-safe: lives on the run's main loop.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "model/database.hpp"
#include "plan/task.hpp"

namespace pgsluice::plan {

enum class Outcome : std::uint8_t { succeeded, failed };
enum class State : std::uint8_t { waiting, running, succeeded, failed, skipped };

struct Limits {
    int lanes = 1;        // tasks at once
    int index_builds = 1; // of them, index builds at once
};

// Groups entries into tasks: consecutive DDL that no row, index or validation precedes goes in batches, one
// transaction each; the rest is one task per entry. Costs from sizes of `database`.
std::vector<Task> make_tasks(const graph::Graph& graph, const model::Database& database);

class Plan {
public:
    // Throws Error{internal} on a cycle or an unknown need. A ddl task without statements (a gate) is never
    // handed out: it succeeds as soon as its needs have, or have ended where they are extras.
    Plan(std::vector<Task> tasks, Limits limits);

    // The best task that may start now: everything it needs succeeded, no lock conflict with a running task,
    // a place in its pool; longest remaining path first, then id. Null: wait for one to finish, or done().
    const Task* start_next();
    // A failure skips what needs the task; where an extra failed, only other extras are skipped.
    void finish(TaskId id, Outcome outcome);

    bool done() const; // nothing runs and nothing can start any more
    int running() const { return running_; }
    const std::vector<Task>& tasks() const { return tasks_; }
    State state(TaskId id) const { return states_[id]; }
    std::vector<const Task*> with_state(State state) const;
    std::uint64_t copies_left() const { return copies_left_; } // of the source's rows; 0: it may be let go
    double path_cost(TaskId id) const { return path_costs_[id]; }
    // Why a waiting task waits, one line: for --verbose and tests.
    std::string explain(TaskId id) const;

private:
    void make_ready(std::vector<TaskId> ids);
    static bool reads_source(const Task& task);
    bool may_start(const Task& task) const;
    const TableLock* conflict(const Task& task) const; // the first of its locks that it cannot have now
    std::string holder_of(const TableLock& wanted) const;
    // Returns what may start now, as it waited for more than the failed one.
    std::vector<TaskId> skip_dependents(TaskId id);

    std::vector<Task> tasks_;
    Limits limits_;
    std::vector<State> states_;
    std::vector<std::uint32_t> needs_left_;
    std::vector<std::vector<TaskId>> dependents_;
    std::vector<double> path_costs_;
    std::vector<TaskId> ready_; // best first; all needs succeeded
    std::map<model::CatalogId, std::vector<LockMode>> locks_held_;
    int running_ = 0;
    int index_builds_running_ = 0;
    std::uint64_t copies_left_ = 0;
};

} // namespace pgsluice::plan
