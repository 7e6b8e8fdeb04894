// The entries while they are made: one slot per object and part, edges as sentences. Inside of assemble().
#pragma once
#include <array>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "graph/nodes.hpp"

namespace pgsluice::graph {

constexpr EntryId no_entry = std::numeric_limits<EntryId>::max();
constexpr std::size_t part_count = static_cast<std::size_t>(Part::gate) + 1;

class Steps {
public:
    Steps(const Network& network, const Repairs& repairs, const std::vector<Item>& items);

    const Network& network;
    const Repairs& repairs;
    const std::vector<Item>& items;
    std::vector<Entry> entries;

    // no_entry where the object has no such part.
    EntryId slot(NodeId node, Part part) const { return slots_[node][static_cast<std::size_t>(part)]; }
    // What has to be there before somebody can refer to the object. Inline: its table's.
    EntryId made(NodeId node) const;
    // The entry that an object's own dependencies hold back.
    EntryId main(NodeId node) const;
    bool is_inline(NodeId node) const;
    // Rows are there; a materialized view: refreshed.
    EntryId filled(NodeId node) const;

    EntryId gate(model::Kind kind, model::CatalogId object, std::string name);
    // Missing entries and an entry's need of itself are ignored, so that callers need no cases.
    void run_after(EntryId entry, EntryId need);
    // Only the order counts: should `need` be an extra and fail, `entry` is made all the same.
    void order_after(EntryId entry, EntryId need);
    std::vector<std::pair<EntryId, EntryId>> orders; // from order_after(): entry, need

    std::vector<std::vector<NodeId>> satellites; // per table or view: its indexes, keys, triggers, ...
    std::vector<EntryId> filled_gates;           // per partitioned table
    std::vector<EntryId> attached_gates;         // per partitioned table without parent
    EntryId merge = no_entry;                    // Part::merge
    std::vector<std::vector<NodeId>> children; // per table: its shared partitions and children of inheritance
    // The steps that add columns to a table or to those above it.
    const std::vector<EntryId>& added(NodeId node) const { return added_[node]; }

    NodeId root(NodeId table) const;
    // A partition that only the target has, of a tree that the source has: made empty, with its own indexes
    // and keys, and attached when the tree is complete. The server adopts those, or makes what is missing.
    bool is_late(NodeId table) const {
        return network.nodes[table].extra && !network.nodes[root(table)].extra;
    }
    const std::set<NodeId> merged; // tables of Part::merge, with their partitions and those above them

private:
    void add(NodeId node, Part part, std::string sql);
    void find_children();
    std::vector<std::array<EntryId, part_count>> slots_;
    std::vector<std::vector<EntryId>> added_;
};

// pg_depend's edges and those between the parts of one object.
void add_link_edges(Steps& steps);
// What only the target has: columns after rows; and what fails of it stops nothing shared.
void add_element_edges(Steps& steps);
void isolate_extras(Steps& steps); // after all but the refresh edges
std::set<NodeId> merged_tables(const Network& network);
// Part::merge, if there is any merged table.
void add_merge_edges(Steps& steps);
// rules.md section 10.
void add_partition_edges(Steps& steps);
void add_table_edges(Steps& steps);
void add_key_edges(Steps& steps);
void add_rights_edges(Steps& steps);
void add_refresh_edges(Steps& steps); // the last: looks at all others

} // namespace pgsluice::graph
