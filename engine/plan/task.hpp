// A unit that one lane performs from start to end.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/entry.hpp"
#include "model/database.hpp"

namespace pgsluice::plan {

using TaskId = std::uint32_t; // index in the plan

enum class TaskKind : std::uint8_t {
    ddl,      // statements in one transaction
    copy,     // a range of one table's rows
    index,    // builds an index; takes a place in the index pool
    validate, // VALIDATE CONSTRAINT: long, weak locks
    analyze,
    refresh, // REFRESH MATERIALIZED VIEW
    merge,   // of the target's rows, by the run itself
};
std::string_view task_kind_name(TaskKind kind);

// PostgreSQL's table lock modes, weakest first; lock_conflicts() is the manual's table.
enum class LockMode : std::uint8_t {
    access_share,
    row_share,
    row_exclusive,
    share_update_exclusive,
    share,
    share_row_exclusive,
    exclusive,
    access_exclusive,
};
bool lock_conflicts(LockMode a, LockMode b);

struct TableLock {
    model::CatalogId table;
    LockMode mode = LockMode::access_share;
};

// Which rows of the table: `predicate` is SQL over the table's columns or ctid; empty means all.
struct Range {
    std::string predicate;
};

struct Task {
    TaskId id = 0;
    TaskKind kind = TaskKind::ddl;
    std::string label;                   // "copy public.orders"
    std::vector<graph::EntryId> entries; // what it performs, in order
    std::vector<TaskId> needs;
    std::vector<TableLock> locks;        // on the target
    std::vector<std::string> statements; // ddl, index, validate, analyze, refresh: in one transaction
    model::CatalogId table;              // copy, analyze
    Range range;                         // copy
    bool from_target = false;            // copy: the rows of an extra
    bool extra = false;                  // carries extras only: its failure is no failure of the run
    std::uint64_t bytes = 0;             // estimate of what it moves or reads
    double cost = 1; // in the unit of bytes copied; for the critical path and the progress bar
};

// The progress bar's: whole, so that the parts add up to the sum.
inline std::uint64_t weight_of(const Task& task) { return static_cast<std::uint64_t>(task.cost); }

} // namespace pgsluice::plan
