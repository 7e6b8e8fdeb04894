// A table's content as two numbers that do not depend on the order of rows: computed by the servers, compared
// by us.
#pragma once
#include <cstdint>
#include <string>

#include "flow/task.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"

namespace pgsluice::rows {

struct TableChecksum {
    std::uint64_t rows = 0;
    std::string sum; // of 64-bit hashes of the rows' text; a decimal number
    bool operator==(const TableChecksum&) const = default;
};

std::string count_sql(const model::TableRows& table);
// Both sessions must have the same profile: text forms depend on it. Columns by name, in the source's order.
std::string checksum_sql(const model::TableRows& table);

flow::Task<std::uint64_t> count_rows(pq::Connection& session, const model::TableRows& table);
flow::Task<TableChecksum> checksum_rows(pq::Connection& session, const model::TableRows& table);

} // namespace pgsluice::rows
