// Merges rows of the target into the new database: --preserve tables, and references in extras (rules.md
// section 3). The same statements at every moment: after the source's rows (foreign keys and triggers may be
// there or not: the catalog of the new database is asked), and again for what changed meanwhile. Main loop
// only.
#pragma once
#include <optional>

#include "merge/row_plan.hpp"
#include "merge/row_sql.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/late_merge.hpp"
#include "run/quiet_tables.hpp"
#include "run/row_rounds.hpp"
#include "run/target_rows.hpp"

namespace pgsluice::run {

class RowMerge {
public:
    // `inside` is a session of its own in the new database; both outlive this.
    RowMerge(Context& context, TargetRows& target, pq::Connection& inside, merge::RowPlan plan)
        : context_(context), target_(target), inside_(inside), plan_(std::move(plan)) {}
    RowMerge(const RowMerge&) = delete;
    RowMerge& operator=(const RowMerge&) = delete;

    // What TargetRows has to remember for it: extras and preserved tables; and to lock: referenced ones.
    std::vector<WatchedTable> watched() const;
    // Of them, the extras of which no reference has to be moved: LateInput::extras.
    std::vector<WatchedTable> plain_extras() const;
    // All rows of the snapshot. Fills context.report.merge.merged, remarks, pgsluice.rejected and
    // pgsluice.key.
    Task<void> merge();
    // Under the locks: what changed since, in preserved tables and in extras that refer to shared tables.
    LateRows late();
    // Counts anew; then the staging tables and maps in schema pgsluice go: the last step before the swap.
    Task<void> finish();

private:
    std::vector<merge::TableName> tables() const;      // that merge() touches
    std::vector<merge::TableName> read_tables() const; // by any of its steps
    bool has_work() const;                             // anything that merge() has to do
    Task<void> copy(std::string out, std::string in, std::size_t i);
    Task<void> prepare();
    Task<void> read_record();
    Task<void> stage(std::size_t i);
    Task<void> put_preserved();
    Task<void> put_extras(std::vector<std::size_t> extras);
    Task<void> stage_late();
    Task<void> stage_again(std::size_t i);
    void find_touched();
    Task<void> take_late_extra(std::size_t i);
    struct Counted {
        std::string theirs, ours; // rows of an extra; ours with those that were rejected
    };
    Task<Counted> count_both(std::size_t i);
    Task<void> check_nothing_lost(std::size_t i);
    Task<void> apply_late();
    Task<void> report_counts();
    void note_counts();

    Context& context_;
    TargetRows& target_;
    pq::Connection& inside_;
    merge::RowPlan plan_;
    std::vector<merge::TableNow> now_;
    std::optional<merge::RowSql> sql_;
    std::optional<RowRounds> rounds_;
    bool merged_ = false, changed_late_ = false, staged_changed_ = false;
    std::vector<TargetRows::Changes> changes_; // by table
    std::vector<merge::TableName> shrinking_;
    std::vector<bool> complete_;       // extras whose rows all came: they could be copied
    std::vector<std::size_t> touched_; // extras that changed, or whose parents did
};

} // namespace pgsluice::run
