// The end of a run that swaps, from a loaded and merged database to one that has the target's name: refresh
// and swap share it.
#pragma once
#include <optional>
#include <vector>

#include "merge/merge.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/merge_target.hpp"
#include "run/story.hpp"

namespace pgsluice::run {

// Opened at the start: tokens of managed services are checked at login and live minutes.
struct RunSessions {
    std::optional<pq::Connection> target; // in it
    std::optional<pq::Connection> inside; // in the new database
    pq::Connection maintenance, second;   // beside both: the swap's
};

struct Merged {
    const Catalogs& catalogs;
    const Loaded& loaded;
    const model::Database* from_source = nullptr; // its objects are recorded; null: they are already
};

// What the target writes meanwhile comes along, schema pgsluice too; then the names are exchanged and the
// outcome is recorded. `made` is empty once that is done.
Task<void> finish(Context& context, RunSessions& sessions, MergeTarget& own, Merged merged, Made& made);

} // namespace pgsluice::run
