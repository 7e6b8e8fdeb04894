// What `pgsluice verify` found (rules.md section 9). Differing rows alone are no failure: both sides live.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace pgsluice::report {

// Who changed a table since the last run, known where that run recorded a checksum.
enum class ChangedBy { unknown, nobody, source, target, both };

struct TableVerification {
    std::string table; // "public.orders"
    bool same = false;
    std::uint64_t rows_source = 0, rows_target = 0;
    std::optional<std::string> checksum_source, checksum_target; // --rows=checksum
    std::optional<std::string> checksum_recorded;                // by the last run with --verify=checksum
    ChangedBy changed_by = ChangedBy::unknown;
};

struct SchemaDifference {
    std::string object; // display name
    std::string what;   // "missing", "unexpected", "definition", "owner", "grants", "comment"
    std::string source, target;
    bool recorded = false; // one of the run's own recorded differences: no failure
};

struct VerifyReport {
    std::string source, target;            // displays
    std::string run_id;                    // the run that made the target; empty: no record
    WallTime read_source{}, read_target{}; // when each side's snapshot was taken
    std::vector<TableVerification> tables;
    std::vector<SchemaDifference> schema;
    bool run_checksums_differ = false; // the run's own two recorded checksums
    std::vector<std::string> notes;
    double seconds = 0;

    // 0, or 1 for a schema that differs beyond what the run recorded, or for the run's own checksums.
    int exit_code() const {
        for (const SchemaDifference& difference : schema)
            if (!difference.recorded) return 1;
        return run_checksums_differ ? 1 : 0;
    }
};

std::string to_json(const VerifyReport& report, bool indent = true);

} // namespace pgsluice::report
