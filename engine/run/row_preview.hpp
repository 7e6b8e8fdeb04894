// What a merge of rows would do, counted by the merge's own statements: the target's rows and the source's
// keys in temporary tables of one transaction in the target, which is rolled back.
#pragma once
#include <string>
#include <vector>

#include "merge/row_plan.hpp"
#include "pq/connection.hpp"
#include "report/merge_report.hpp"

namespace pgsluice::run {

using flow::Task;

struct RowPreview {
    std::vector<report::MergedTable> tables;
    std::string unknown; // why nothing could be counted; empty: it could
};

Task<RowPreview> preview_rows(pq::Connection& source, pq::Connection& target, merge::RowPlan plan);

} // namespace pgsluice::run
