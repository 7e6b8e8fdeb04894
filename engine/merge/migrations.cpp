// Flyway's history: versions are compared as Flyway does, number by number, and never by count or rank.
#include "merge/merge.hpp"

namespace pgsluice::merge {

namespace {

// "1.02" and "1_2" and "1.2.0" are one version.
std::string canonical(const std::string& version) {
    std::string text, number;
    std::size_t significant = 0;
    const auto end_number = [&] {
        const std::size_t first = number.find_first_not_of('0');
        text += (first == std::string::npos ? "0" : number.substr(first)) + ".";
        if (first != std::string::npos) significant = text.size();
        number.clear();
    };
    for (const char c : version) {
        if (c == '.' || c == '_')
            end_number();
        else
            number += c;
    }
    end_number();
    return text.substr(0, significant);
}

using Versions = std::map<std::string, const Migration*>;

// Successful versioned entries; the others are named.
Versions versions(const std::vector<Migration>& history, MigrationDifference& difference) {
    Versions found;
    for (const Migration& migration : history) {
        if (!migration.success || migration.repeatable || migration.version.empty())
            difference.failed_or_repeatable.push_back(migration);
        else
            found.emplace(canonical(migration.version), &migration);
    }
    return found;
}

} // namespace

MigrationDifference compare_migrations(std::string table, const std::vector<Migration>& source,
                                       const std::vector<Migration>& target) {
    MigrationDifference difference;
    difference.table = std::move(table);
    const Versions ours = versions(source, difference);
    const Versions theirs = versions(target, difference);
    for (const Migration& migration : source) {
        const auto at = ours.find(canonical(migration.version));
        if (at == ours.end() || at->second != &migration) continue;
        const auto other = theirs.find(at->first);
        if (other == theirs.end())
            difference.only_source.push_back(migration);
        else if (other->second->checksum != migration.checksum)
            difference.different_checksum.push_back(migration);
    }
    for (const Migration& migration : target) {
        const auto at = theirs.find(canonical(migration.version));
        if (at != theirs.end() && at->second == &migration && !ours.contains(at->first))
            difference.only_target.push_back(migration);
    }
    return difference;
}

} // namespace pgsluice::merge
