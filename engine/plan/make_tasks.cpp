// Entries to tasks. What no row precedes goes in batches, one after the other; the small DDL that a table
// gets at the end is one task per table; everything long is a task of its own.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "plan/measure.hpp"
#include "plan/plan.hpp"

namespace pgsluice::plan {

namespace {

using graph::Entry;
using graph::EntryId;
using graph::Part;
using model::Kind;

constexpr std::size_t batch_entries_max = 64;
// No table's: a lock of the plan's own.
constexpr model::CatalogId definitions_of_extras{};

// One task's entries, before it is written.
struct Group {
    std::vector<EntryId> entries;
    TaskKind kind = TaskKind::ddl;
    std::string label;        // empty: of its only entry
    bool early = false;       // a batch of what no row precedes
    bool extra_early = false; // of an extra, the same, alone
};

class Grouper {
public:
    Grouper(const graph::Graph& graph, const Catalog& catalog, bool one_per_table)
        : graph_(graph), catalog_(catalog), one_per_table_(one_per_table), early_(graph.entries.size()),
          extra_early_(graph.entries.size()) {
        for (const Entry& entry : graph.entries)
            if (entry.part == Part::build_index) built_.insert(entry.object);
        for (EntryId id = 0; id < graph.entries.size(); ++id) place(id);
    }
    std::vector<Group> take() { return std::move(groups_); }

private:
    void place(EntryId id) {
        const Entry& entry = graph_.entries[id];
        const TaskKind kind = task_kind(entry, catalog_, built_.contains(entry.object));
        if (entry.extra) {
            place_extra(id, kind);
            return;
        }
        early_[id] = kind == TaskKind::ddl && std::all_of(entry.needs.begin(), entry.needs.end(),
                                                          [&](EntryId need) { return early_[need]; });
        if (early_[id]) {
            put(id, early_batch_);
            groups_[*early_batch_].early = true;
        } else if (kind == TaskKind::ddl && entry.part == Part::rights && entry.kind != Kind::table) {
            if (id == 0 || rights_last_ != id - 1) rights_batch_.reset();
            rights_last_ = id;
            put(id, rights_batch_);
            groups_[*rights_batch_].label = "rights";
        } else if (const model::CatalogId table = small_ddl_of(entry);
                   kind == TaskKind::ddl && table.oid != 0) {
            const auto [at, is_new] = tables_.emplace(table, groups_.size());
            if (is_new) {
                const model::Object& object = *catalog_.database().find(table);
                groups_.emplace_back().label = "triggers and rights of " + object.schema + "." + object.name;
            }
            groups_[at->second].entries.push_back(id);
        } else {
            Group& group = groups_.emplace_back();
            group.entries.push_back(id);
            group.kind = kind;
        }
    }

    // Alone: it may fail, and then nothing else goes with it.
    void place_extra(EntryId id, TaskKind kind) {
        const Entry& entry = graph_.entries[id];
        extra_early_[id] = kind == TaskKind::ddl && !entry.runs_functions &&
                           std::all_of(entry.needs.begin(), entry.needs.end(),
                                       [&](EntryId need) { return early_[need] || extra_early_[need]; });
        Group& group = groups_.emplace_back();
        group.entries.push_back(id);
        group.kind = kind;
        group.extra_early = extra_early_[id];
    }

    void put(EntryId id, std::optional<std::size_t>& batch) {
        if (!batch || groups_[*batch].entries.size() >= batch_entries_max) {
            batch = groups_.size();
            groups_.emplace_back();
        }
        groups_[*batch].entries.push_back(id);
    }

    // The table whose closing task takes the entry; nothing: it has a task of its own.
    model::CatalogId small_ddl_of(const Entry& entry) const {
        if (!one_per_table_) return {};
        const model::CatalogId relation = catalog_.relation_of(entry.object);
        if (!catalog_.is(relation, Kind::table)) return {};
        const bool small =
            entry.part == Part::after_rows || entry.part == Part::rights ||
            (entry.part == Part::create &&
             (entry.kind == Kind::trigger || entry.kind == Kind::rule || entry.kind == Kind::policy));
        return small ? relation : model::CatalogId{};
    }

    const graph::Graph& graph_;
    const Catalog& catalog_;
    bool one_per_table_;
    std::vector<bool> early_, extra_early_;
    std::set<model::CatalogId> built_; // keys whose index is an entry of its own
    std::vector<Group> groups_;
    std::optional<std::size_t> early_batch_, rights_batch_;
    EntryId rights_last_ = 0;
    std::map<model::CatalogId, std::size_t> tables_;
};

std::string label_of(const Entry& entry, const Catalog& catalog) {
    const model::Object* object = catalog.database().find(entry.object);
    const std::string relation =
        object == nullptr ? entry.name : one_line(object->schema + "." + object->name);
    switch (entry.part) {
    case Part::rows: return "copy " + relation;
    case Part::analyze: return "analyze " + relation;
    case Part::refresh: return "refresh " + relation;
    case Part::validate: return "validate " + entry.name;
    case Part::build_index: return "index of " + entry.name;
    case Part::create:
    case Part::gate: return entry.name;
    default: return entry.name + ": " + std::string(graph::part_name(entry.part));
    }
}

void keep_strongest(std::vector<TableLock>& locks) {
    std::sort(locks.begin(), locks.end(), [](const TableLock& a, const TableLock& b) {
        return a.table != b.table ? a.table < b.table : a.mode > b.mode;
    });
    const auto last = std::unique(locks.begin(), locks.end(),
                                  [](const TableLock& a, const TableLock& b) { return a.table == b.table; });
    locks.erase(last, locks.end());
}

Task write_task(const graph::Graph& graph, const Catalog& catalog, Group group) {
    Task task;
    task.kind = group.kind;
    task.cost = 0;
    const Entry& first = graph.entries[group.entries.front()];
    task.label = group.label.empty() ? label_of(first, catalog) : one_line(group.label);
    if (group.early) task.label = "definitions from " + first.name;
    if (task.kind == TaskKind::copy || task.kind == TaskKind::analyze) task.table = first.object;
    task.extra = first.extra;
    if (task.kind == TaskKind::copy) {
        const model::TableRows* rows = catalog.database().rows_of(first.object);
        task.from_target = rows != nullptr && rows->from_target;
    }
    // One at a time: two that change the same row of a catalog at once fail.
    if (group.extra_early) task.locks.push_back({definitions_of_extras, LockMode::access_exclusive});
    for (const EntryId id : group.entries) {
        const Entry& entry = graph.entries[id];
        if (!entry.sql.empty()) task.statements.push_back(entry.sql);
        for (const TableLock& lock : locks_of(entry, catalog)) task.locks.push_back(lock);
        const std::uint64_t bytes = bytes_of(entry, task.kind, catalog);
        task.bytes += bytes;
        task.cost += cost_of(entry, task.kind,
                             task.kind == TaskKind::analyze ? catalog.bytes_of(entry.object) : bytes);
    }
    keep_strongest(task.locks);
    task.entries = std::move(group.entries);
    return task;
}

// The place of every extra that comes before rows: as `last_early`, for what extras run.
TaskId add_extras_gate(std::vector<Task>& tasks, const std::vector<bool>& extra_early) {
    Task& gate = tasks.emplace_back();
    gate.id = static_cast<TaskId>(tasks.size() - 1);
    gate.label = "definitions of what only the target has";
    gate.cost = 0;
    for (TaskId id = 0; id < extra_early.size(); ++id)
        if (extra_early[id]) gate.needs.push_back(id);
    return gate.id;
}

void connect(std::vector<Task>& tasks, const graph::Graph& graph, const std::vector<bool>& early,
             std::optional<TaskId> extras_gate) {
    std::vector<TaskId> task_of(graph.entries.size());
    for (TaskId id = 0; id < tasks.size(); ++id)
        for (const EntryId entry : tasks[id].entries) task_of[entry] = id;
    std::optional<TaskId> last_early;
    for (TaskId id = 0; id < tasks.size(); ++id) {
        if (!early[id]) continue;
        if (last_early) tasks[id].needs.push_back(*last_early);
        last_early = id;
    }
    for (TaskId id = 0; id < tasks.size(); ++id) {
        Task& task = tasks[id];
        for (const EntryId entry : task.entries) {
            for (const EntryId need : graph.entries[entry].needs)
                if (task_of[need] != id) task.needs.push_back(task_of[need]);
            // Nobody knows what a function calls: all that no row precedes is there first.
            if (!graph.entries[entry].runs_functions || early[id]) continue;
            if (last_early) task.needs.push_back(*last_early);
            if (task.extra && extras_gate) task.needs.push_back(*extras_gate);
        }
        std::sort(task.needs.begin(), task.needs.end());
        task.needs.erase(std::unique(task.needs.begin(), task.needs.end()), task.needs.end());
    }
}

std::vector<Task> try_tasks(const graph::Graph& graph, const Catalog& catalog, bool one_per_table) {
    std::vector<Task> tasks;
    std::vector<bool> early, extra_early;
    for (Group& group : Grouper(graph, catalog, one_per_table).take()) {
        early.push_back(group.early);
        extra_early.push_back(group.extra_early);
        tasks.push_back(write_task(graph, catalog, std::move(group)));
        tasks.back().id = static_cast<TaskId>(tasks.size() - 1);
    }
    std::optional<TaskId> extras_gate;
    if (std::find(extra_early.begin(), extra_early.end(), true) != extra_early.end()) {
        extras_gate = add_extras_gate(tasks, extra_early);
        early.push_back(false);
    }
    connect(tasks, graph, early, extras_gate);
    return tasks;
}

bool has_loop(const std::vector<Task>& tasks) {
    std::vector<std::vector<std::uint32_t>> needs;
    needs.reserve(tasks.size());
    for (const Task& task : tasks) needs.push_back(task.needs);
    return !graph::sort(needs).loops.empty();
}

} // namespace

std::vector<Task> make_tasks(const graph::Graph& graph, const model::Database& database) {
    const Catalog catalog(database);
    std::vector<Task> tasks = try_tasks(graph, catalog, true);
    // Two tables' closing tasks could need each other where their entries do not: then each entry goes alone.
    if (has_loop(tasks)) tasks = try_tasks(graph, catalog, false);
    return tasks;
}

} // namespace pgsluice::plan
