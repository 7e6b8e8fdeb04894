// Copies a range of one table from a source connection to a target connection through a pipe.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "flow/task.hpp"
#include "model/database.hpp"
#include "plan/task.hpp"
#include "pq/connection.hpp"
#include "rows/budget.hpp"
#include "rows/pipe.hpp"

namespace pgsluice::rows {

enum class Format { text, binary };
// Binary where both majors are equal, every column type allows it and rows are wide enough to gain; text
// where in doubt (design.md section 4).
Format choose_format(const model::TableRows& rows, int source_version, int target_version);

struct CopyOptions {
    const model::TableRows* table = nullptr;
    plan::Range range;
    Format format = Format::text;
    // Where the rows go when the table is a partition_root_load: the topmost partitioned table.
    std::string root_schema, root_name;
    flow::Executor loop, helpers;
    Budget* budget = nullptr;
    // Called on the lane's loop about four times a second and at the end, with the raw bytes that the target
    // has taken, and the rows that the source has sent.
    std::function<void(std::uint64_t bytes, std::uint64_t rows)> progress;
};

struct CopyResult {
    std::uint64_t rows_sent = 0, rows_received = 0; // both servers' COPY tags, equal or an error was thrown
    std::uint64_t bytes = 0;
    PipeStatistics pipe;
};

std::string copy_out_sql(const model::TableRows& table, const plan::Range& range, Format format);
// Into the table itself, or into the root when one is named.
std::string copy_in_sql(const model::TableRows& table, Format format, const std::string& root_schema = {},
                        const std::string& root_name = {});

// Both connections are inside a transaction that the caller began and ends. Throws the first cause; then the
// source or target connection may be broken. Different counts on the two sides: Error{verification}.
flow::Task<CopyResult> copy_range(pq::Connection& source, pq::Connection& target, const CopyOptions& options);

} // namespace pgsluice::rows
