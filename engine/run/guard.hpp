// Is this really the pair that the user means (rules.md section 7)? All of it before the first write.
#pragma once
#include "model/database.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// Refuses: no database name, a standby as target, the same database on both sides (an advisory lock with a
// random key taken on the source and looked for on the target), a database that runs of this target made or
// moved away as source, a source in recovery with the target's system
// identifier unless the mark names it. Notes an equal system identifier.
Task<void> guard_same_database(Context& context, pq::Connection& source, pq::Connection& target);
// Refuses a source that a run made from this very target: the two are exchanged, unless --source-is-right.
Task<void> guard_exchanged(const Context& context, pq::Connection& source);
// Refuses a target without a mark that names this source, unless --allow-target HOST/DBNAME says so for this
// run.
Task<void> guard_mark(Context& context, pq::Connection& target);
// Refuses a source without user tables, or with less than half of the tables or rows of what both have,
// unless
// --source-is-right. Pure.
// `planned`: what of the target comes along as its own is no sign; null: nothing is recorded that would tell
// it from what the source lost.
void guard_source_size(const Context& context, const model::Database& source, const model::Database& target,
                       const model::Database* planned);

} // namespace pgsluice::run
