// Merges rows of the target into the new database: --preserve tables, and references in extras (rules.md
// section 3). The same statements at every moment: after the source's rows (foreign keys and triggers may be
// there or not: the catalog of the new database is asked), and again for what changed meanwhile. Main loop
// only.
#pragma once
#include "merge/row_plan.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/target_rows.hpp"

namespace pgsluice::run {

class RowMerge {
public:
    // `inside` is a session of its own in the new database; both outlive this.
    RowMerge(Context& context, TargetRows& target, pq::Connection& inside, merge::RowPlan plan)
        : context_(context), target_(target), inside_(inside), plan_(std::move(plan)) {}

    // What TargetRows has to remember for it (extras and preserved tables).
    std::vector<WatchedTable> watched() const;
    // All rows of the snapshot. Fills context.report.merge.merged, remarks, pgsluice.rejected and
    // pgsluice.key.
    Task<void> merge();
    // Under the locks: what changed since, in extras too. Counts go to the same lines.
    Task<void> merge_late();
    // The staging tables and maps in schema pgsluice go: the last step before the swap.
    Task<void> finish();

private:
    Context& context_;
    TargetRows& target_;
    pq::Connection& inside_;
    merge::RowPlan plan_;
};

} // namespace pgsluice::run
