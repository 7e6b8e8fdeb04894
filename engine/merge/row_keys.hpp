// By what two rows of a table are one entity (rules.md section 3).
#pragma once
#include <string>
#include <vector>

#include "merge/row_plan.hpp"

namespace pgsluice::merge {

// Of a table whose columns are known: its keys, from what the planned database and the target say of it.
// `named`: columns of --preserve TABLE=...
void set_keys(MergeTable& table, const model::TableFacts& facts, const model::TableFacts& theirs,
              const std::vector<std::string>& named);

} // namespace pgsluice::merge
