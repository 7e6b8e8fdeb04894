#include "merge/migrations.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace pgsluice::merge {

namespace {

constexpr std::size_t names_max = 10; // of a list in a sentence

using Versions = std::map<std::string, const Migration*>;

// A history by canonical versions: what was applied, and not taken back.
struct Applied {
    Versions versions;
    std::map<std::string, const Migration*> repeatable;
    std::optional<std::string> baseline; // the highest
};

Applied read(const HistoryTable& table, const std::vector<Migration>& history,
             MigrationDifference& difference) {
    Applied applied;
    for (const Migration& migration : history) {
        const std::string version = canonical_version(table.tool.form, migration.version);
        if (migration.undone && migration.success) {
            applied.versions.erase(version);
            continue;
        }
        if (!migration.success || migration.repeatable || migration.version.empty()) {
            difference.failed_or_repeatable.push_back(migration);
            if (migration.repeatable) applied.repeatable.emplace(version, &migration);
            continue;
        }
        applied.versions.insert_or_assign(version, &migration);
        if (migration.baseline && (!applied.baseline || compare_canonical(*applied.baseline, version) < 0))
            applied.baseline = version;
    }
    return applied;
}

bool stands_for(const Applied& other, const std::string& version) {
    return other.versions.contains(version) || other.repeatable.contains(version) ||
           (other.baseline && compare_canonical(version, *other.baseline) <= 0);
}

bool same_checksum(const MigrationTool& tool, const Migration& left, const Migration& right) {
    if (left.checksum == right.checksum || left.baseline || right.baseline) return true;
    if (!tool.checksum_has_prefix) return false;
    // Of another version of the tool, or none: it computes them anew itself.
    const auto prefix = [](const std::string& sum) { return sum.substr(0, sum.find(':')); };
    return left.checksum.empty() || right.checksum.empty() || prefix(left.checksum) != prefix(right.checksum);
}

// A tool that keeps only its last version: numbers have an order, names have not.
void compare_heads(const HistoryTable& table, const Applied& ours, const Applied& theirs,
                   MigrationDifference& difference) {
    const bool ordered = table.tool.form != VersionForm::text;
    if (!ordered || ours.versions.size() != 1 || theirs.versions.size() != 1) return;
    const int order = compare_canonical(ours.versions.begin()->first, theirs.versions.begin()->first);
    if (order < 0) difference.only_source.clear();
    if (order > 0) difference.only_target.clear();
}

std::string names(const std::vector<Migration>& migrations) {
    std::vector<std::string> list;
    for (const Migration& migration : migrations) {
        if (list.size() == names_max) {
            list.push_back("and " + std::to_string(migrations.size() - names_max) + " more");
            break;
        }
        list.push_back(migration.version +
                       (migration.description.empty() ? "" : " (" + migration.description + ")"));
    }
    return one_line(join(list, ", "));
}

std::vector<Migration> in_order(const std::vector<Migration>& history,
                                const std::vector<const Migration*>& chosen) {
    std::vector<Migration> list;
    for (const Migration& migration : history)
        if (std::find(chosen.begin(), chosen.end(), &migration) != chosen.end()) list.push_back(migration);
    return list;
}

} // namespace

MigrationDifference compare_history(const HistoryTable& table, const std::vector<Migration>& source,
                                    const std::vector<Migration>& target) {
    MigrationDifference difference;
    difference.table = table;
    const Applied ours = read(table, source, difference);
    const Applied theirs = read(table, target, difference);
    std::vector<const Migration*> only_source, only_target, different;
    for (const auto& [version, migration] : ours.versions) {
        if (!stands_for(theirs, version)) only_source.push_back(migration);
        const auto other = theirs.versions.find(version);
        if (other != theirs.versions.end() && !same_checksum(table.tool, *migration, *other->second))
            different.push_back(migration);
    }
    for (const auto& [version, migration] : theirs.versions)
        if (!stands_for(ours, version)) only_target.push_back(migration);
    difference.only_source = in_order(source, only_source);
    difference.only_target = in_order(target, only_target);
    difference.different_checksum = in_order(source, different);
    if (table.tool.head_only) compare_heads(table, ours, theirs, difference);
    return difference;
}

std::vector<MigrationDifference> compare_histories(const std::vector<History>& source,
                                                   const std::vector<History>& target) {
    std::map<std::pair<std::string, std::string>, std::pair<const History*, const History*>> tables;
    for (const History& history : source) tables[{history.table.schema, history.table.name}].first = &history;
    for (const History& history : target)
        tables[{history.table.schema, history.table.name}].second = &history;
    std::vector<MigrationDifference> differences;
    for (const auto& [name, sides] : tables) {
        const auto& [ours, theirs] = sides;
        static const std::vector<Migration> none;
        differences.push_back(compare_history(theirs ? theirs->table : ours->table,
                                              ours ? ours->entries : none, theirs ? theirs->entries : none));
        differences.back().in_source = ours != nullptr;
        differences.back().in_target = theirs != nullptr;
    }
    return differences;
}

Standing standing(const MigrationDifference& difference) {
    if (difference.equal()) return Standing::equal;
    if (!difference.different_checksum.empty()) return Standing::diverged;
    if (difference.only_source.empty()) return Standing::target_ahead;
    return difference.only_target.empty() ? Standing::source_ahead : Standing::diverged;
}

std::string describe(const MigrationDifference& difference) {
    std::vector<std::string> parts;
    const auto add = [&](const char* what, const std::vector<Migration>& migrations) {
        if (!migrations.empty()) parts.push_back(what + names(migrations));
    };
    add("only the source has ", difference.only_source);
    add("only the target has ", difference.only_target);
    add("another checksum on either side: ", difference.different_checksum);
    return join(parts, "; ");
}

HistoryDecision decide_history(const MigrationDifference& difference, const DriftOptions& options) {
    HistoryDecision decision;
    decision.standing = standing(difference);
    if (decision.standing == Standing::equal) return decision;
    if (options.choice == DriftChoice::fail) {
        decision.action = DriftAction::fail;
        decision.why = "the migration histories differ, and --drift=fail is given";
        return decision;
    }
    if (decision.standing == Standing::source_ahead) {
        decision.action = DriftAction::source_ahead;
    } else if (options.migrate) {
        decision.action = DriftAction::migrate;
    } else if (options.choice == DriftChoice::replay) {
        decision.action = DriftAction::replay;
    } else if (decision.standing == Standing::diverged) {
        decision.action = DriftAction::fail;
        decision.why = "--drift=carry needs a target that is merely ahead: here each side has what the other "
                       "lacks, or one version has two checksums";
    } else {
        decision.action = DriftAction::carry;
    }
    return decision;
}

DriftDecision decide_drift(const std::vector<MigrationDifference>& differences, const DriftOptions& options) {
    DriftDecision decision;
    if (differences.empty() && options.migrate) decision.action = DriftAction::migrate;
    for (const MigrationDifference& difference : differences) {
        decision.histories.push_back(decide_history(difference, options));
        decision.action = std::max(decision.action, decision.histories.back().action);
        if (decision.histories.back().action == DriftAction::replay)
            decision.applied_again += difference.only_target.size();
    }
    return decision;
}

} // namespace pgsluice::merge
