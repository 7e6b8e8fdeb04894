// What became, or will become, of what only the target has: part of plan's and refresh's reports. Display
// names, no row values.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "report/drift_report.hpp"

namespace pgsluice::report {

class JsonWriter;

// Could not come along; `sql` is its definition, kept in pgsluice.pending.
struct PendingItem {
    std::string object, reason, sql;
};

// One table of --preserve, or an extra whose references moved. Counts are of the target's rows.
struct MergedTable {
    std::string table;
    bool preserved = false;  // else an extra
    std::uint64_t same = 0;  // the source has this entity: its row stays
    std::uint64_t added = 0; // only the target has it
    std::uint64_t new_keys =
        0; // of `added`: under another key, as the source has another entity under theirs
    std::uint64_t repointed = 0;      // rows of which a reference follows an entity to its new key
    std::uint64_t duplicates = 0;     // after re-pointing equal to one that is there
    std::uint64_t deleted = 0;        // deleted in prod since the last run
    std::uint64_t rejected = 0;       // kept in pgsluice.rejected with the reason
    std::uint64_t nulled = 0;         // a reference that leads nowhere became NULL
    std::vector<std::string> reasons; // of rejected and nulled ones, each once
};

// "3 added (1 under a new key), 2 known to the source": for logs and plans.
std::string in_words(const MergedTable& table);

// A table of the target whose rows do not come along, or whose only copy goes with `_previous`.
struct LosingTable {
    std::string table;
    std::uint64_t rows_estimated = 0;
};

struct MigrateRun {
    std::string command;
    double seconds = 0;
};

struct MergeReport {
    std::vector<std::string> carried; // extras
    std::vector<PendingItem> pending;
    std::vector<MergedTable> merged;
    std::uint64_t late_rows = 0; // changed on the target during the run, and merged before the swap
    std::vector<HistoryDifference> histories;
    // --drift=replay: entries that the service will apply at its next restart, and the tables with rows that
    // only `previous` keeps because those migrations make them.
    std::uint64_t applied_again = 0;
    std::vector<std::string> staying;
    std::vector<MigrateRun> migrated;
    std::vector<std::string> changed_by_migration; // objects, by display names
    // Tables with rows of which the new database has nothing: the next run drops their only copy.
    std::vector<LosingTable> only_in_previous;
};

void write(JsonWriter& json, const LosingTable& item);
void write(JsonWriter& json, const MergeReport& report); // key "merge" and its value

} // namespace pgsluice::report
