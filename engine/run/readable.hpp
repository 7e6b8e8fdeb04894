// Whether our role may read the target's rows that come along: asked before anything is written, as the rows
// are read last.
#pragma once
#include "merge/row_plan.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"
#include "run/reading.hpp"

namespace pgsluice::run {

// Extras and the tables of `rows`. Throws Error{refused} that names the first table and counts the others.
Task<void> refuse_unreadable_rows(const Context& context, pq::Connection& target, const Catalogs& catalogs,
                                  const merge::RowPlan& rows);

} // namespace pgsluice::run
