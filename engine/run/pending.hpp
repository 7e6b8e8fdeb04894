// What of the target could not come along: pgsluice.pending of the new database (rules.md section 1). Lines
// go from run to run until a person deletes them; those that cannot be carried are tried again by each, until
// they work.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "merge/merge.hpp"
#include "plan/plan.hpp"
#include "pq/connection.hpp"
#include "report/upkeep_report.hpp"
#include "run/context.hpp"
#include "run/lanes.hpp"
#include "run/rows_behind.hpp"

namespace pgsluice::run {

std::string_view why_name(merge::Pending::Why why); // "cannot", "drift", "migration"

// What the load could not make of the extras. Pure.
struct NotMade {
    std::vector<merge::Pending> pending; // one per object, or per step where the object itself is there
    std::vector<RowsBehind> rows_behind;
    std::vector<std::string> half_made; // statements that drop what an object left when its next step failed
};
NotMade not_made(const plan::Plan& plan, const graph::Graph& graph, const model::Database& planned,
                 const std::vector<ExtraFailure>& failures);
// Remarks and the report's list; of the plan's before the load, of what was not made after it.
void tell_pending(Context& context, const std::vector<merge::Pending>& items);

// The report's list of extras that came along.
void tell_carried(Context& context, const model::Database& planned,
                  const std::vector<merge::Pending>& not_made);
// A column, attribute or label in that list: "own of table public.b".
std::string carried_element(const model::Object& object, const std::string& element);

// The old target's lines into the new database; those of migrations only while the target's history is ahead:
// they go when the histories agree.
Task<void> carry_pending(pq::Connection& from, pq::Connection& to, bool migrations);
// This run's own. A line that is there already keeps its `since`.
Task<void> write_pending(pq::Connection& session, std::string run_id, std::vector<merge::Pending> items);
// Every line that cannot be carried and is not this run's, in a transaction of its own each: what works goes
// from the table, what does not gets the server's new reason.
Task<void> try_pending(Context& context, pq::Connection& session, const model::Database& planned);

Task<std::vector<report::PendingLine>> read_pending(pq::Connection& session);
Task<std::vector<report::RejectedLine>>
read_rejected(pq::Connection& session); // counts; never what is in them

} // namespace pgsluice::run
