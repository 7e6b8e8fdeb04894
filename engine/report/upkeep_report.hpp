// Outcomes of the commands that need only the target: rollback, cleanup, history, pending,
// allow-target.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace pgsluice::report {

// The two databases have exchanged their names; doing it again undoes it.
struct RollbackReport {
    std::string target, previous;
    double seconds_away = 0;
    std::vector<std::string> notes;
};

struct DroppedDatabase {
    std::string name;
    std::string what; // "previous database", "leftover of run abcdefgh"
    std::uint64_t bytes = 0;
};

struct CleanupReport {
    std::string target;
    std::vector<DroppedDatabase> dropped;
    std::vector<std::string> kept; // what looks like a leftover and is not provably ours, with the reason
    std::vector<std::string> notes;
};

// One line of pgsluice.run.
struct HistoryEntry {
    std::string run_id;
    std::string state; // "running", "swapped", "failed", "rolled back"
    std::string source;
    WallTime started{}, finished{}; // finished is the epoch while the run has not ended
    std::string report_json;        // the run's report, as recorded; may be empty
};

struct HistoryReport {
    std::string target;
    std::vector<HistoryEntry> runs; // newest first
};

// What of the target could not come along, of all runs: pgsluice.pending, and counts of pgsluice.rejected.
struct PendingLine {
    std::string object, reason;
    std::string why; // "cannot", "drift", "migration"
    std::string sql; // empty: pgsluice cannot write it
    std::string run_id, since, last_tried;
};
struct RejectedLine {
    std::string table, reason;
    std::uint64_t rows = 0;
};
struct PendingReport {
    std::string target;
    std::vector<PendingLine> pending;
    std::vector<RejectedLine> rejected;
};

// The database that `allow-target` marks, or would mark.
struct MarkReport {
    std::string host, port, database, role;
    std::string system_identifier;
    std::uint64_t database_bytes = 0;
    std::string allowed_source;  // "HOST/DBNAME" that may be copied over it; empty: none
    std::string previous_source; // what the mark said before
    bool marked = false;         // false: only looked
};

std::string to_json(const RollbackReport& report, bool indent = true);
std::string to_json(const CleanupReport& report, bool indent = true);
std::string to_json(const HistoryReport& report, bool indent = true);
std::string to_json(const PendingReport& report, bool indent = true);
std::string to_json(const MarkReport& report, bool indent = true);

} // namespace pgsluice::report
