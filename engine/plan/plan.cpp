#include "plan/plan.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace pgsluice::plan {

Plan::Plan(std::vector<Task> tasks, Limits limits)
    : tasks_(std::move(tasks)), limits_(limits), states_(tasks_.size(), State::waiting),
      needs_left_(tasks_.size()), dependents_(tasks_.size()), path_costs_(tasks_.size()) {
    std::vector<std::vector<std::uint32_t>> needs;
    needs.reserve(tasks_.size());
    for (const Task& task : tasks_) {
        for (const TaskId need : task.needs) {
            if (need >= tasks_.size() || need == task.id)
                throw Error{ErrorKind::internal, "a task needs one that is not in the plan"}.object(
                    task.label);
            dependents_[need].push_back(task.id);
        }
        needs_left_[task.id] = static_cast<std::uint32_t>(task.needs.size());
        needs.push_back(task.needs);
        if (reads_source(task)) ++copies_left_;
    }
    const graph::Order order = graph::sort(needs);
    if (order.nodes.size() < tasks_.size())
        throw Error{ErrorKind::internal, "the plan's tasks wait for each other"}.object(
            tasks_[order.loops.front().front()].label);
    for (auto id = order.nodes.rbegin(); id != order.nodes.rend(); ++id) {
        double longest = 0;
        for (const TaskId dependent : dependents_[*id]) longest = std::max(longest, path_costs_[dependent]);
        path_costs_[*id] = tasks_[*id].cost + longest;
    }
    std::vector<TaskId> first;
    for (TaskId id = 0; id < tasks_.size(); ++id)
        if (needs_left_[id] == 0) first.push_back(id);
    make_ready(std::move(first));
}

bool Plan::reads_source(const Task& task) { return task.kind == TaskKind::copy && !task.from_target; }

// Tasks without a statement only join others: nobody has to perform them.
void Plan::make_ready(std::vector<TaskId> ids) {
    for (std::size_t at = 0; at < ids.size(); ++at) {
        const TaskId id = ids[at];
        if (states_[id] != State::waiting) continue;
        const Task& task = tasks_[id];
        if (task.kind == TaskKind::ddl && task.statements.empty()) {
            states_[id] = State::succeeded;
            for (const TaskId dependent : dependents_[id])
                if (--needs_left_[dependent] == 0) ids.push_back(dependent);
            continue;
        }
        const auto is_better = [&](TaskId a, TaskId b) {
            return path_costs_[a] != path_costs_[b] ? path_costs_[a] > path_costs_[b] : a < b;
        };
        ready_.insert(std::upper_bound(ready_.begin(), ready_.end(), id, is_better), id);
    }
}

bool Plan::may_start(const Task& task) const {
    if (task.kind == TaskKind::index && index_builds_running_ >= limits_.index_builds) return false;
    return conflict(task) == nullptr;
}

const TableLock* Plan::conflict(const Task& task) const {
    for (const TableLock& lock : task.locks) {
        const auto held = locks_held_.find(lock.table);
        if (held == locks_held_.end()) continue;
        for (const LockMode mode : held->second)
            if (lock_conflicts(mode, lock.mode)) return &lock;
    }
    return nullptr;
}

const Task* Plan::start_next() {
    if (running_ >= limits_.lanes) return nullptr;
    const auto best =
        std::find_if(ready_.begin(), ready_.end(), [&](TaskId id) { return may_start(tasks_[id]); });
    if (best == ready_.end()) return nullptr;
    const Task& task = tasks_[*best];
    ready_.erase(best);
    states_[task.id] = State::running;
    ++running_;
    if (task.kind == TaskKind::index) ++index_builds_running_;
    for (const TableLock& lock : task.locks) locks_held_[lock.table].push_back(lock.mode);
    return &task;
}

void Plan::finish(TaskId id, Outcome outcome) {
    if (id >= tasks_.size() || states_[id] != State::running)
        throw Error{ErrorKind::internal, "a task finished that was not running"};
    const Task& task = tasks_[id];
    --running_;
    if (task.kind == TaskKind::index) --index_builds_running_;
    if (reads_source(task)) --copies_left_;
    for (const TableLock& lock : task.locks) {
        std::vector<LockMode>& modes = locks_held_[lock.table];
        modes.erase(std::find(modes.begin(), modes.end(), lock.mode));
        if (modes.empty()) locks_held_.erase(lock.table);
    }
    if (outcome == Outcome::failed) {
        states_[id] = State::failed;
        make_ready(skip_dependents(id));
        return;
    }
    states_[id] = State::succeeded;
    std::vector<TaskId> next;
    for (const TaskId dependent : dependents_[id])
        if (--needs_left_[dependent] == 0) next.push_back(dependent);
    make_ready(std::move(next));
}

std::vector<TaskId> Plan::skip_dependents(TaskId id) {
    std::vector<TaskId> queue = {id}, free;
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const TaskId dependent : dependents_[queue[at]]) {
            if (states_[dependent] != State::waiting) continue;
            // What comes from the source only waits for extras, it does not need them.
            if (tasks_[queue[at]].extra && !tasks_[dependent].extra) {
                if (--needs_left_[dependent] == 0) free.push_back(dependent);
                continue;
            }
            states_[dependent] = State::skipped;
            if (reads_source(tasks_[dependent])) --copies_left_;
            queue.push_back(dependent);
        }
    }
    return free;
}

bool Plan::done() const { return running_ == 0 && ready_.empty(); }

std::vector<const Task*> Plan::with_state(State state) const {
    std::vector<const Task*> found;
    for (const Task& task : tasks_)
        if (states_[task.id] == state) found.push_back(&task);
    return found;
}

std::string Plan::explain(TaskId id) const {
    const Task& task = tasks_.at(id);
    switch (states_[id]) {
    case State::running: return "running";
    case State::succeeded: return "succeeded";
    case State::failed: return "failed";
    case State::skipped: return "skipped: something that it needs failed";
    case State::waiting: break;
    }
    std::string waits;
    std::size_t more = 0;
    for (const TaskId need : task.needs) {
        if (states_[need] == State::succeeded) continue;
        if (waits.empty())
            waits = "waits for " + tasks_[need].label + (states_[need] == State::running ? " (running)" : "");
        else
            ++more;
    }
    if (more > 0) waits += " and " + std::to_string(more) + " more";
    if (!waits.empty()) return waits;
    if (const TableLock* lock = conflict(task); lock != nullptr)
        return "waits for " + holder_of(*lock) + ": lock conflict";
    if (task.kind == TaskKind::index && index_builds_running_ >= limits_.index_builds)
        return "waits for a place among the index builds";
    return running_ >= limits_.lanes ? "waits for a lane" : "ready";
}

std::string Plan::holder_of(const TableLock& wanted) const {
    for (const Task& task : tasks_) {
        if (states_[task.id] != State::running) continue;
        for (const TableLock& lock : task.locks)
            if (lock.table == wanted.table && lock_conflicts(lock.mode, wanted.mode)) return task.label;
    }
    return "a running task";
}

} // namespace pgsluice::plan
