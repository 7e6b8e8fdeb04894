// What a database says of the tables into which rows are merged: keys, checks, defaults, sequences.
#pragma once
#include <vector>

#include "merge/row_sql.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

using flow::Task;

// In the order of the plan's tables. Sequences without the target's values.
Task<std::vector<merge::TableNow>> read_tables_now(pq::Connection& session, const merge::RowPlan& plan);
// Into TableNow::Sequence::target_value.
Task<void> read_target_sequences(pq::Connection& target, const merge::RowPlan& plan,
                                 std::vector<merge::TableNow>& now);

} // namespace pgsluice::run
