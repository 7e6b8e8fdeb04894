// Reads the system catalogs of one database into a model::Database. Changes nothing on the server. Order of
// work:
//   1. server facts, the database's own properties, role names
//   2. each kind's queries, in registry order, adding comments and ACLs
//   3. pg_depend, keeping only edges between objects that we hold
//   4. tables with rows: columns for COPY, sizes, what R8 compares
//   5. what no kind can carry yet, by name
// The number of queries depends on the kinds and the server's major, never on the number of objects (views
// come in batches, see kinds::Query::oids_query).
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "flow/task.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"

namespace pgsluice::catalog {

struct ReadOptions {
    // A snapshot id: everything runs in short transactions of its own on it, and keeps no lock (plan; refresh
    // where the server's lock table is small). "": in the caller's transaction.
    std::string snapshot;
    // What pg_get_viewdef and its like lock stays locked until the end of the transaction: this many at most.
    std::size_t objects_per_batch = 1000;
    bool sequence_values = true;
    bool sizes = true;
    // The target of a merge: ids are moved above 2^32 (kinds::Row::oid), and the values of sequences that we
    // may not read are left out.
    bool is_target = false;
};

flow::Task<model::Database> read(pq::Connection& connection, const ReadOptions& options);

// The values of `oid relfilenode xmin...` of all tables with rows, read anew: see model::TableRows. READ
// COMMITTED.
flow::Task<std::vector<model::TableRows>> read_row_facts(pq::Connection& connection);
// The same of one table; nothing where it is gone.
flow::Task<std::optional<model::TableRows>> read_row_facts(pq::Connection& connection,
                                                           model::CatalogId table);

} // namespace pgsluice::catalog
