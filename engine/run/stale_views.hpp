// Materialized views that do not show the rows that a merge has put into tables (rules.md section 3): they
// are not refreshed again, as that may take as long as everything else.
#pragma once
#include <vector>

#include "merge/row_plan.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// A note for each populated one that reads any of `tables`, through views too.
Task<void> note_materialized_views(Context& context, pq::Connection& inside,
                                   std::vector<merge::TableName> tables);

} // namespace pgsluice::run
