// Columns that only the target has are added to a table by one step. Where the server refuses that, each is
// tried alone, so that one that cannot be computed takes none of its neighbours along; and then what was
// skipped for them.
#pragma once
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/pending.hpp"

namespace pgsluice::run {

// At once, as rows may be merged into them soon: whatever columns of the table can be added. The rest is told
// by try_single_columns().
Task<void> add_columns_alone(pq::Connection& inside, const model::Database& planned,
                             const model::Object& table);

// After the load. Changes `lacking` to what cannot be made even so. `inside`: a session in the new database,
// in no transaction.
Task<void> try_single_columns(pq::Connection& inside, const model::Database& planned, NotMade& lacking);

} // namespace pgsluice::run
