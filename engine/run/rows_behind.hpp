// Rows of extras that cannot come along: the table cannot be made, or does not take them (rules.md section 1:
// they are never dropped). They are kept in pgsluice.rejected, as the previous database goes with the next
// run.
#pragma once
#include <string>
#include <vector>

#include "merge/merge.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/reading.hpp"

namespace pgsluice::run {

struct RowsBehind {
    std::string schema, name, reason;
};

// Tables with rows that the plan leaves pending, but for those of migrations: these rows stay with the
// previous database, by name (rules.md section 2).
std::vector<RowsBehind> rows_behind_of_plan(const Catalogs& catalogs);

// Tables with rows that the new database does not have at all, and whose rows nothing else keeps.
std::vector<report::LosingTable> tables_left_behind(const Catalogs& catalogs,
                                                    const std::vector<RowsBehind>& kept);

// What the last swapped run left in the previous database only, as the target's journal has it.
Task<std::vector<report::LosingTable>> recorded_only_in_previous(pq::Connection& target);
// To be told when that database is dropped.
void tell_gone_with_previous(Context& context, const std::string& database,
                             const std::vector<report::LosingTable>& tables);

// In `target`, the session that holds the locks, so that nothing is written there afterwards. Remarks each
// table.
Task<void> keep_rows_behind(Context& context, pq::Connection& target, pq::Connection& inside,
                            std::vector<RowsBehind> tables);

} // namespace pgsluice::run
