// A table's content as two numbers that do not depend on the order of rows: computed by the servers, compared
// by us.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "flow/task.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"

namespace pgsluice::rows {

struct TableChecksum {
    std::uint64_t rows = 0;
    std::string sum; // of 64-bit hashes of the rows' text; a decimal number
    bool operator==(const TableChecksum&) const = default;
};

// What is measured as one: a table, or partitions among which the rows are spread otherwise on the other
// side.
using Tables = std::vector<const model::TableRows*>;

// The bytes of a row that are hashed: as the server keeps them, or, where the other side's encoding is
// another one, as UTF-8, which costs more.
enum class HashedText { as_kept, utf8 };
HashedText hashed_text(const pq::Connection& one, const pq::Connection& other);

std::string count_sql(const Tables& tables);
// Both sessions must have the same profile: text forms depend on it. Columns by name, in the order of the
// first table.
std::string checksum_sql(const Tables& tables, HashedText hashed);

flow::Task<std::uint64_t> count_rows(pq::Connection& session, const Tables& tables);
flow::Task<TableChecksum> checksum_rows(pq::Connection& session, const Tables& tables, HashedText hashed);

} // namespace pgsluice::rows
