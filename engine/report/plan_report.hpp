// What refresh would do, as one value: `pgsluice plan` prints it. Names are display names ("table
// public.orders"), not SQL, and may be hostile: whoever prints them uses one_line().
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/merge_report.hpp"

namespace pgsluice::report {

// How many objects of a kind the new database gets.
struct KindCount {
    std::string kind; // "table", "foreign key"
    std::uint64_t count = 0;
};

// A shared object whose definitions differ; the source's is taken.
struct DriftItem {
    std::string object;
    std::string source_definition, target_definition;
};

// A column of a shared table, or a label of a shared enum, that one side lacks.
struct ColumnDifference {
    std::string table;
    std::vector<std::string> only_source, only_target; // "name type"
};
struct LabelDifference {
    std::string type;
    std::vector<std::string> only_source, only_target;
};

// An object, and why it is listed. `hint` may be empty.
struct NamedReason {
    std::string object, reason, hint;
};

// Something that refresh would refuse with: exit 1 before anything is written.
struct Refusal {
    std::string object, text, hint;
};

struct PlanReport {
    std::string source, target; // displays: "host:5432/app as refresher", no secrets
    std::string source_version, target_version;
    std::string method;     // "swap"
    std::string method_why; // "the role may create databases"

    // What is created.
    std::vector<KindCount> create;
    std::uint64_t tasks = 0;
    int lanes = 0, index_jobs = 0;
    std::string lanes_why; // "4 cores; 87 connections free on the source, 91 on the target"

    // Where the two differ.
    std::vector<std::string> only_source, only_target; // only_target: the extras
    std::vector<DriftItem> drift;
    std::vector<ColumnDifference> columns;
    std::vector<LabelDifference> enum_labels;
    std::vector<HistoryDifference> migrations;
    std::string recorded_run;                 // the run whose record says what was brought; empty: no record
    std::string recorded_at;                  // RFC 3339
    std::vector<std::string> dropped_in_prod; // "dropped in prod since DATE": not carried

    // What of the target comes along, and what will not, with counts of rows (estimates of nothing: counted).
    MergeReport merge;

    // What does not come along.
    std::vector<NamedReason> unsupported_source, unsupported_target; // kinds that pgsluice does not know yet
    std::vector<NamedReason> wires_left_out; // rules.md section 13; reason names the --with KIND
    // Rows that only the target has are lost, here and in every shared table.
    std::vector<LosingTable> losing;
    std::string previous;                      // the database that is dropped before the build; empty: none
    std::vector<LosingTable> only_in_previous; // tables whose only copy is there and goes with it

    // Room and time.
    std::uint64_t rows_estimated = 0, bytes_estimated = 0; // what is copied
    std::uint64_t disk_bytes_now = 0;                      // needed on the target's server during the run
    std::uint64_t disk_bytes_kept = 0;                     // kept after it, as <target>_previous
    std::optional<std::uint64_t> disk_bytes_freed;         // by dropping `previous` first

    std::vector<std::string> notes;
    std::vector<Refusal> refusals; // empty: refresh would run

    // Further arguments of the exact refresh command, options first, without conninfos: the command line that
    // has them prints the whole command. {"--extras", "drop"}
    std::vector<std::string> refresh_arguments;
};

std::string to_json(const PlanReport& report, bool indent = true);

} // namespace pgsluice::report
