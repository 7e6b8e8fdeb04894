// The part of a refresh that carries what is the target's own: extras with their rows, rows of preserved
// tables, what was written there meanwhile (rules.md sections 1, 3, 4). In the order of a run: open, plan,
// prepare, the load, late. Main loop only.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "merge/row_plan.hpp"
#include "pq/connection.hpp"
#include "run/build.hpp"
#include "run/context.hpp"
#include "run/fingerprint.hpp"
#include "run/reading.hpp"
#include "run/row_merge.hpp"
#include "run/swap.hpp"
#include "run/target_rows.hpp"

namespace pgsluice::run {

class MergeTarget {
public:
    explicit MergeTarget(Context& context) : context_(context) {}
    MergeTarget(const MergeTarget&) = delete;
    MergeTarget& operator=(const MergeTarget&) = delete;

    Task<void> open(); // the target's snapshot: its catalog and rows are read on it
    pq::Connection& session() { return rows_->session(); } // in the target; after late() it holds the locks
    const std::string& snapshot() const { return rows_->snapshot(); }
    // Which rows are merged. Refuses --preserve and --reference that lead nowhere, and rows that our role
    // cannot read: before any write.
    Task<void> plan(const Catalogs& catalogs);
    // What the load needs to know, and a session in the new database for the merge on its way; the result
    // refers to this.
    Task<LoadMerge> prepare(const Catalogs& catalogs, std::string database);
    bool preserves(const merge::TableName& table) const; // by --preserve; after plan()
    // After the load: SHARE locks, the rows that changed since, and whether anybody changed the schema
    // meanwhile. From here to close() nothing that is committed in the target is lost.
    Task<void> late(const model::Database& planned);
    // While nothing of the target is read; open() again after it.
    void close() { rows_.reset(); }
    void close_inside(); // the swap waits for every session in the new database
    // For the swap, after late(): it looks once more whether anybody changed the schema, and closes.
    LastSession last_session();

private:
    Task<void> start_row_merge();
    Task<void> look_again();
    Task<void> refuse_changed_history();
    Context& context_;
    std::optional<TargetRows> rows_;
    std::optional<pq::Connection> inside_;
    Fingerprint at_start_;
    std::string histories_;    // mark of the target's migration histories at the start
    std::string catalog_mark_; // of the target when late() was through
    merge::RowPlan row_plan_;
    std::optional<RowMerge> row_merge_; // nothing: no row of the target is carried
};

} // namespace pgsluice::run
