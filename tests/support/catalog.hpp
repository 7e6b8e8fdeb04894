// The catalogs of a database as the engine reads them, and a plain way to make it again elsewhere: every
// statement is tried until none fails. The engine's own order is graph's business; what a kind's DDL says is
// seen without it.
#pragma once
#include <string>

#include "catalog/catalog.hpp"
#include "model/database.hpp"

namespace pgsluice::tests {

// In one repeatable-read transaction; with `by_snapshot` on another session's snapshot, as plan does it.
model::Database read_catalog(const std::string& conninfo, bool by_snapshot = false);

// Creates all objects of `database` in an empty database, with owners, grants, comments and sequence values;
// throws what the server said about the first statement that works in no order. No rows.
void make_again(const model::Database& database, const std::string& conninfo,
                const std::string& connecting_role);

} // namespace pgsluice::tests
