// Sequences' values, read from the target when nobody can commit another row any more. Main loop only.
#pragma once
#include <vector>

#include "flow/task.hpp"
#include "merge/row_plan.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

using flow::Task;

struct SharedSequence {
    merge::TableName name;
    std::vector<merge::TableName> users; // extras of which a column takes its numbers
};

// They get the target's values. Those that the new database lacks are pending, and left out.
Task<void> set_sequences(pq::Connection& target, pq::Connection& inside, std::vector<merge::TableName> all);
// They keep the source's value unless the target's, or a row of a user, is past it.
Task<void> advance_sequences(pq::Connection& target, pq::Connection& inside, std::vector<SharedSequence> all);

} // namespace pgsluice::run
