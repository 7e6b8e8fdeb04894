// Turns a database (the planned one: source's schema with the target's owners and grants) into entries in an
// order that works, and the edges between them. Pure: same input, same output, byte for byte.
//
// Edges come from three places: pg_depend (model::Dependency), each kind's own (Descriptor::edges), and the
// orders of rules.md section 10. Loops are repaired as pg_dump does it (reference/pgdump-objects.md section
// 3): a default or a check leaves CREATE TABLE, a view gets a stand-in. Where pg_dump postpones a
// materialized view or a function to post-data we need no repair: there are no sections here, only edges.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "graph/entry.hpp"
#include "model/database.hpp"

namespace pgsluice::graph {

struct Options {
    int target_version = 0;
    // The role that runs the DDL: objects owned by it need no ALTER ... OWNER.
    std::string connecting_role;
    // What is no extra is there already, rows and all: entries for extras only.
    bool only_extras = false;
    // Tables that get rows of the target, and those whose keys that needs: one entry Part::merge comes after
    // their rows and unique keys, and before their foreign keys, triggers, rules, row security and sequence
    // values, and before what reads them (ANALYZE, materialized views). Empty: no such entry.
    std::set<model::CatalogId> merged_tables;
};

struct Graph {
    std::vector<Entry> entries; // in an order in which every need stands before what needs it
    std::vector<std::string>
        warnings; // loops that no repair knows, as pg_dump words them: one edge was dropped
};

Graph build(const model::Database& database, const Options& options);

// Stable topological order: of the nodes that could come next always the one with the smallest index, so as
// little as possible moves. Returns the order; in `loops` what no order has. A node's need of itself counts
// for nothing. For build() and for tests.
struct Order {
    std::vector<std::uint32_t> nodes;
    std::vector<std::vector<std::uint32_t>> loops; // strongly connected components of more than one node
};
Order sort(const std::vector<std::vector<std::uint32_t>>& needs);

} // namespace pgsluice::graph
