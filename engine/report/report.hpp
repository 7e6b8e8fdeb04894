// The outcome of a run as one value, and as JSON: what --report writes and pgsluice.run keeps.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "report/event.hpp"
#include "report/merge_report.hpp"
#include "report/waiting_report.hpp"

namespace pgsluice::report {

struct TableReport {
    std::string schema, name, format;
    std::uint64_t rows = 0, bytes = 0;
    double seconds = 0;
    std::optional<std::string> checksum; // --verify=checksum
};

struct RefreshReport {
    std::string run_id, source, target, previous, state; // state: "swapped", "waiting", "failed"
    WallTime started{}, finished{};
    double seconds = 0, seconds_away = 0, seconds_source_held = 0;
    std::uint64_t rows = 0, bytes = 0, tasks = 0;
    std::uint64_t source_queries = 0, target_queries = 0;
    int lanes = 0;
    std::vector<TableReport> tables;
    MergeReport merge;
    std::optional<WaitingReport> waiting; // state "waiting": what the command swap needs
    std::vector<Remarked> remarks;
    std::vector<Noted> notes;
    std::string error, error_sqlstate, error_object, error_hint;
};

// Pretty-printed where `indent`; UTF-8, keys in a fixed order, units in the keys' names ("seconds_away").
std::string to_json(const RefreshReport& report, bool indent = true);

} // namespace pgsluice::report
