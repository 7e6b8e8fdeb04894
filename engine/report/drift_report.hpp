// How the migration histories of both sides differ, and what the run makes of it (rules.md section 2).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::report {

class JsonWriter;

struct MigrationItem {
    std::string version, description;
};

struct HistoryDifference {
    std::string table;    // "public.flyway_schema_history"
    std::string tool;     // "Flyway"; "other"
    std::string standing; // "equal", "source ahead", "target ahead", "diverged"
    std::string
        action; // "replay", "carry", "migrate", "fail", "source's history stands"; empty: nothing to do
    std::vector<MigrationItem> only_source, only_target;
    std::vector<MigrationItem> different_checksum;   // one version, two checksums
    std::vector<MigrationItem> failed_or_repeatable; // named, change nothing
    bool equal() const { return only_source.empty() && only_target.empty() && different_checksum.empty(); }
};

void write(JsonWriter& json, const HistoryDifference& history);

} // namespace pgsluice::report
