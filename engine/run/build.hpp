// Fills the new database: from both catalogs to a loaded, verified database that only has to be swapped in.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "merge/merge.hpp"
#include "model/database.hpp"
#include "run/context.hpp"
#include "run/reading.hpp"
#include "run/rows_behind.hpp"
#include "run/source.hpp"

namespace pgsluice::run {

// Reads both, matches them, and refuses what cannot be carried: unsupported kinds of the source, extras with
// --extras=fail. Emits notes. Changes nothing.
// The target's on the snapshot that `target_snapshot` names.
Task<Catalogs> read_catalogs(Context& context, Source& source, pq::Connection& target,
                             std::string target_snapshot);

// Notes and remarks of what was planned.
void tell_planned(Context& context, const Catalogs& catalogs);

// The rows of the target's extras, and the merge on the way.
struct LoadMerge {
    std::string target_snapshot;
    std::set<model::CatalogId> merged_tables; // graph::Options
    std::function<Task<void>()> merge;
    bool only_extras = false; // the shared part is there, and no source
};

// What of the extras could not be made: remarked already, but for the rows.
struct Loaded {
    std::vector<merge::Pending> pending;
    std::vector<RowsBehind> rows_behind;
};

// Makes the task graph and performs it over a session in the new database, `inside`, and lanes of its own;
// the source is released on the way; null: none.
Task<Loaded> load(Context& context, Source* source, const Catalogs& catalogs, pq::Connection& inside,
                  int lanes, LoadMerge merge);

// rules.md section 9: a fresh reading of the new database against what was planned. Differing owners and
// grants that were remarked already stay remarks, what is pending is left out. What only the target has stops
// nothing: one that is not as planned is a remark, one that is missing is added to `pending`, but for a
// table, whose rows would be lost. Anything else throws Error{verification} naming the object.
Task<void> verify_catalog(Context& context, const model::Database& planned,
                          std::vector<merge::Pending>& pending, pq::Connection& session);

} // namespace pgsluice::run
