// The inside of room graph: plain values that tests make by hand. Only build.cpp knows descriptors and DDL
// writers.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "kinds/descriptor.hpp"

namespace pgsluice::graph {

using NodeId = std::uint32_t; // index of an object: the same as in Database::objects

// What loop repairs and orders must know of an object.
struct Node {
    model::Kind kind = model::Kind::schema;
    model::CatalogId id;
    model::CatalogId relation;  // Object::relation
    std::string schema, name;   // name: for people
    bool extra = false;         // Object::extra
    bool adds_elements = false; // Object::extra_elements
    bool of_added = false;      // a default inside the statement that adds such a column
    bool separate = false;      // never inside its host's CREATE: an extra of a shared table or domain
    bool merged = false;        // Options::merged_tables
    bool tells_rows = false;    // a check of the source that its rows fulfil: the merge asks it
};

// A dependency between objects that we hold; type as in model::Dependency.
struct Link {
    NodeId who = 0, needs = 0;
    char type = 'n';
};

struct Network {
    std::vector<Node> nodes;
    std::vector<Link> links; // sorted, none of a node to itself
    std::vector<NodeId>
        hosts; // of a default, check, index, trigger, ...: its table, view or domain; else itself
    std::vector<NodeId> parents; // of a partition: its partitioned table; else itself

    bool is(NodeId node, model::Kind kind) const { return nodes[node].kind == kind; }
    // May live inside its host's CREATE TABLE or CREATE DOMAIN.
    bool can_be_inline(NodeId node) const;
    bool is_partition_link(const Link& link) const;
    // ALTER SEQUENCE ... OWNED BY, which is a step of its own; an identity's sequence is made with its table.
    bool is_owned_by_link(const Link& link) const;
    // Partition's index, key, foreign key or trigger to that of the partitioned table.
    bool is_part_of_link(const Link& link) const;
    // Of a partition that only the target has to a shared object: its table is attached last.
    bool is_late_part(const Link& link) const { return nodes[link.who].extra && !nodes[link.needs].extra; }
    // Of the step that adds elements, not of the object itself.
    bool is_of_elements(const Link& link) const { return link.type == 'c'; }
    // Whoever makes this link needs the added elements too: what only the target has may use them.
    bool needs_elements(const Link& link) const {
        return nodes[link.needs].adds_elements && (nodes[link.who].extra || is_of_elements(link));
    }
};
Network make_network(std::vector<Node> nodes, const std::vector<model::Dependency>& dependencies);

// Loop repair, reference: section 3 of pg_dump's rules.
struct Repairs {
    kinds::Shape shape;
    std::vector<std::pair<NodeId, NodeId>> dropped; // sorted: links that no repair could save
    std::vector<std::string> warnings;
    // Per node: creating it or putting rows in it calls functions of the user's, as far as links tell.
    std::vector<bool> uses_functions;
    std::vector<bool> elements_use_functions; // the same of the step that adds elements

    bool is_dropped(const Link& link) const;
    bool is_dummy(const Network& network, NodeId node) const;
    bool is_separate(const Network& network, NodeId node) const;
};
Repairs find_repairs(const Network& network);

// An object's steps, written.
struct Item {
    kinds::Ddl ddl;
    std::string comment; // and DEPENDS ON EXTENSION: goes with create
    std::string rights;  // owner and ACL; empty: nothing to do
    bool changes_owner = false;
    bool owner_is_restricted = false; // the owner's own grants are less than the default
    std::string sequence_value;       // setval
    std::string analyze;              // tables with rows, populated materialized views
    bool rows = false;
    bool load_through_root = false; // TableRows::partition_root_load
};
Graph assemble(const Network& network, const Repairs& repairs, const std::vector<Item>& items);

// The shortest loop through the first node of `component`: each node needs the next, the last needs the
// first.
std::vector<std::uint32_t> find_loop(const std::vector<std::vector<std::uint32_t>>& needs,
                                     const std::vector<std::uint32_t>& component);

} // namespace pgsluice::graph
