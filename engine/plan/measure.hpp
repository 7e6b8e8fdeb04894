// Of one entry: what kind of task performs it, which locks it takes on the target, what it costs.
#pragma once
#include <string_view>
#include <vector>

#include "graph/entry.hpp"
#include "plan/catalog.hpp"
#include "plan/task.hpp"

namespace pgsluice::plan {

// `adopts`: the entry is the ADD CONSTRAINT of a key whose index is an entry of its own.
TaskKind task_kind(const graph::Entry& entry, const Catalog& catalog, bool adopts);

// The lock modes of PostgreSQL's manual, by statement. May name a table twice.
std::vector<TableLock> locks_of(const graph::Entry& entry, const Catalog& catalog);

// Bytes that it moves or reads.
std::uint64_t bytes_of(const graph::Entry& entry, TaskKind kind, const Catalog& catalog);
// In bytes copied: measured on PostgreSQL 15, design.md section 4.
double cost_of(const graph::Entry& entry, TaskKind kind, std::uint64_t bytes);

// "how many columns or expressions": the top-level items of the first list after ON in CREATE INDEX.
int key_columns(std::string_view create_index);

} // namespace pgsluice::plan
