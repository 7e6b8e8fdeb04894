// The last thing before the swap (rules.md section 4): the target's tables are locked, its schema compared
// with the start, and what was written meanwhile is put into the new database in one transaction. Main loop
// only.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "merge/row_plan.hpp"
#include "run/context.hpp"
#include "run/fingerprint.hpp"
#include "run/late_sequences.hpp"
#include "run/target_rows.hpp"

namespace pgsluice::run {

struct LateInput {
    Fingerprint at_start;                         // of the target
    std::vector<WatchedTable> extras;             // of those that were remembered
    std::vector<merge::TableName> sequences;      // extras': they get the target's values of now
    std::vector<SharedSequence> shared_sequences; // of the source, used by extras: never below them
};

// The preserved tables' part, and references in extras' rows. Each may be empty.
struct LateRows {
    // Under the locks, before the transaction: reads what changed, makes staging tables of its own.
    // `staged_rows` tells where the changed rows of an extra wait ("": there are none).
    std::function<Task<void>(std::function<std::string(const merge::TableName&)> staged_rows)> stage;
    std::function<std::vector<merge::TableName>()> tables; // preserved ones that apply() touches
    // Extras whose references it moves: what of their rows breaks a foreign key makes it NOT VALID, and rows
    // go and come again.
    std::function<std::vector<merge::TableName>()> extras;
    std::function<std::vector<merge::TableName>()> shrinking; // of `tables`, those that lose rows
    std::function<Task<void>()> apply; // statements of the transaction only: it may be tried again
};

// TargetRows is locked afterwards, until its session ends. Adds to report.merge.late_rows.
Task<void> merge_late(Context& context, TargetRows& target, pq::Connection& inside, LateInput input,
                      LateRows preserved = {});

} // namespace pgsluice::run
