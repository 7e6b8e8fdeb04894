// Migration histories of both sides, compared by version and checksum as their tools do and never by count,
// and what follows for the run: the table of rules.md section 2. Pure.
#pragma once
#include <string>
#include <vector>

#include "merge/migration_tools.hpp"

namespace pgsluice::merge {

struct Migration {
    std::string version, description, checksum;
    bool success = true;
    bool repeatable = false;
    bool undone = false;   // takes back the entries of its version before it
    bool baseline = false; // stands for all versions up to its own
    bool operator==(const Migration&) const = default;
};

// A history as one side has it, in the order in which it was applied.
struct History {
    HistoryTable table;
    std::vector<Migration> entries;
};

struct MigrationDifference {
    HistoryTable table;
    bool in_source = true, in_target = true;         // the table itself is there
    std::vector<Migration> only_source, only_target; // successful versioned entries
    std::vector<Migration> different_checksum;       // the source's entry
    std::vector<Migration> failed_or_repeatable;     // named, change nothing
    bool equal() const { return only_source.empty() && only_target.empty() && different_checksum.empty(); }
};
// A side without the table counts as one without entries.
MigrationDifference compare_history(const HistoryTable& table, const std::vector<Migration>& source,
                                    const std::vector<Migration>& target);
std::vector<MigrationDifference> compare_histories(const std::vector<History>& source,
                                                   const std::vector<History>& target);

enum class Standing { equal, source_ahead, target_ahead, diverged };
Standing standing(const MigrationDifference& difference);
// "only the target: 5 (add phone), 6; another checksum: 3": for errors and remarks.
std::string describe(const MigrationDifference& difference);

enum class DriftChoice { replay, carry, fail };
struct DriftOptions {
    DriftChoice choice = DriftChoice::replay;
    bool migrate = false; // --migrate CMD is given
};

// What the run does; the greater one is the worse one.
enum class DriftAction {
    none,         // equal, or no history: what only the target has was made by hand
    source_ahead, // the source's history stands: a note
    carry,        // the target's entries come along, behind the source's
    replay,       // what only the target has is taken for the work of its migrations, and is not carried
    migrate,      // the service's tool brings the new database up to the target's release
    fail,         // exit 1 before any write
};
struct HistoryDecision {
    Standing standing = Standing::equal;
    DriftAction action = DriftAction::none;
    std::string why; // of a failure
};
HistoryDecision decide_history(const MigrationDifference& difference, const DriftOptions& options);

struct DriftDecision {
    DriftAction action = DriftAction::none; // the worst of all
    std::vector<HistoryDecision> histories; // one per difference, in its order
    std::size_t applied_again = 0;          // replay: entries that the service will apply at its next start
    bool extras_are_migrations() const { return action == DriftAction::replay; }
};
// Several histories in one database are decided each for itself. Without any, --migrate says that there is
// something to migrate.
DriftDecision decide_drift(const std::vector<MigrationDifference>& differences, const DriftOptions& options);

} // namespace pgsluice::merge
