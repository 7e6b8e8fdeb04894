// A network by hand: objects with names, links as sentences, DDL where a test needs it.
#pragma once
#include <string>
#include <vector>

#include "graph/nodes.hpp"

namespace made {

using namespace pgsluice;
using graph::NodeId;
using graph::Part;
using model::Kind;

struct Made {
    std::vector<graph::Node> nodes;
    std::vector<graph::Item> items;
    std::vector<model::Dependency> dependencies;

    // `create` is the name, unless it is cleared afterwards.
    NodeId add(Kind kind, const std::string& name, const std::string& schema = "s") {
        const auto node = static_cast<NodeId>(nodes.size());
        nodes.push_back({.kind = kind, .id = {1, node + 1}, .relation = {}, .schema = schema, .name = name});
        items.emplace_back().ddl.create = name;
        return node;
    }
    NodeId on(NodeId table, Kind kind, const std::string& name) {
        const NodeId node = add(kind, name);
        nodes[node].relation = nodes[table].id;
        link(node, table, 'a');
        return node;
    }
    NodeId table(const std::string& name) {
        const NodeId node = add(Kind::table, name);
        items[node].rows = true;
        items[node].analyze = "analyze " + name;
        return node;
    }
    void link(NodeId who, NodeId needs, char type = 'n') {
        dependencies.push_back({nodes[who].id, nodes[needs].id, type});
    }

    graph::Network network() const { return graph::make_network(nodes, dependencies); }
    graph::Graph graph() const {
        const graph::Network made = network();
        return graph::assemble(made, graph::find_repairs(made), items);
    }
};

// The place of a step in the order; -1: there is none.
inline int place(const graph::Graph& graph, const std::string& name, Part part) {
    for (std::size_t i = 0; i < graph.entries.size(); ++i)
        if (graph.entries[i].name == name && graph.entries[i].part == part) return static_cast<int>(i);
    return -1;
}

// Not only behind it in this order: reached by edges, so that lanes wait too.
inline bool waits_for(const graph::Graph& graph, int who, int needs) {
    if (who < 0 || needs < 0) return false;
    std::vector<bool> reached(graph.entries.size());
    reached[static_cast<std::size_t>(who)] = true;
    for (std::size_t i = graph.entries.size(); i-- > 0;)
        if (reached[i])
            for (const graph::EntryId need : graph.entries[i].needs) reached[need] = true;
    return who != needs && reached[static_cast<std::size_t>(needs)];
}

} // namespace made
