// Migration histories of both sides (rules.md section 2): read in whichever schema they stand, and what their
// comparison means for the run.
#pragma once
#include <vector>

#include "merge/migrations.hpp"
#include "pq/connection.hpp"
#include "report/drift_report.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// Every history that one side has: of the known tools, and the tables that --migrations names. Locks no more
// than a SELECT does.
Task<std::vector<merge::History>> read_histories(Context& context, pq::Connection& session);

// A query for the table's rows: `columns` as text (c0, c1, ...), the version, and whether it is a successful
// versioned entry.
std::string entries_sql(const merge::HistoryTable& table, const std::vector<std::string>& columns);

struct Drift {
    std::vector<merge::History> source, target;
    std::vector<merge::MigrationDifference> differences;
    merge::DriftDecision decision;
    bool target_ahead() const; // or each side has what the other lacks
};
// Reads both and decides. Throws Error{refused} for a table of --migrations that neither side has.
Task<Drift> read_drift(Context& context, pq::Connection& source, pq::Connection& target);
// Without `may_migrate` as if no --migrate were given: when its command has run.
Drift decide_drift(const Context& context, std::vector<merge::History> source,
                   std::vector<merge::History> target, bool may_migrate = true);

// Exit 1 before any write, differences named, where the decision is to fail.
void refuse_drift(const Drift& drift);
// Tells what the decision means: remarks and notes of the run.
// Into the report, too. `staying`: tables with
// rows that only the previous database will have.
void tell_drift(Context& context, const Drift& drift, std::vector<std::string> staying);
// refresh --no-swap: what the command swap will decide about unless somebody migrates the database before.
void tell_waiting(Context& context, const Drift& drift);
// After the migration: what its history still lacks.
void tell_migrated(Context& context, const Drift& drift);
// A text that differs when any entry does: to tell whether the target's history is still the one that was
// read.
std::string history_mark(const std::vector<merge::History>& histories);

std::vector<report::HistoryDifference> drift_report(const Drift& drift);

} // namespace pgsluice::run
