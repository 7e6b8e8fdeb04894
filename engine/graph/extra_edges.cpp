// What only the target has: where its columns come in, and that nothing shared fails with it.
#include <algorithm>
#include <map>

#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

// After the rows, its own and those of the tables below, into which it goes down: a default or an expression
// that the server cannot compute for them is then a refusal of the column, and of nothing else. And before
// indexes, which a rewrite would build a second time.
void order_added_columns(Steps& steps, NodeId table) {
    for (const EntryId add : steps.added(table)) {
        steps.run_after(add, steps.slot(table, Part::create));
        steps.run_after(add, steps.slot(table, Part::attach));
        steps.run_after(add, steps.filled(table));
        for (const NodeId node : steps.satellites[table]) {
            const Kind kind = steps.network.nodes[node].kind;
            if (kind != Kind::index && kind != Kind::constraint) continue;
            steps.order_after(steps.slot(node, Part::build_index), add);
            if (steps.slot(node, Part::build_index) == no_entry)
                steps.order_after(steps.slot(node, Part::create), add);
        }
    }
}

// Nobody knows which rows a function of a default reads: all of them are there first, but for those of tables
// that are made of the added columns themselves.
void order_computed_columns(Steps& steps) {
    const Network& network = steps.network;
    std::vector<bool> made_of_added(network.nodes.size());
    for (const Link& link : network.links)
        if (network.needs_elements(link) && !network.is_of_elements(link)) made_of_added[link.who] = true;
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        if (!steps.repairs.elements_use_functions[node]) continue;
        const EntryId add = steps.slot(node, Part::add_elements);
        for (NodeId table = 0; table < network.nodes.size(); ++table)
            if (!made_of_added[table]) steps.order_after(add, steps.slot(table, Part::rows));
    }
}

// A key of a partitioned table wants those of its partitions, and where the server makes some of the parts of
// an index it adopts what is there: that comes first, under its own name.
void order_above_parts(Steps& steps) {
    const Network& network = steps.network;
    std::vector<std::vector<NodeId>> below(network.nodes.size()); // indexes and keys of the partitions
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        if (!network.is(node, Kind::index) && !network.is(node, Kind::constraint)) continue;
        for (NodeId table = network.hosts[node]; network.parents[table] != table;) {
            table = network.parents[table];
            below[table].push_back(node);
        }
    }
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        const Node& object = network.nodes[node];
        const bool is_index = object.kind == Kind::index || object.kind == Kind::constraint;
        if (!is_index || !object.extra || network.nodes[network.hosts[node]].extra) continue;
        for (const NodeId part : below[network.hosts[node]])
            steps.order_after(steps.slot(node, Part::create), steps.made(part));
    }
}

} // namespace

void add_element_edges(Steps& steps) {
    const Network& network = steps.network;
    order_computed_columns(steps);
    order_above_parts(steps);
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        if (network.is(node, Kind::table)) order_added_columns(steps, node);
        const EntryId add = steps.slot(node, Part::add_elements);
        for (const Part part : {Part::after_rows, Part::validate, Part::analyze, Part::rights})
            steps.run_after(steps.slot(node, part), add);
        for (const EntryId above : steps.added(node)) {
            steps.run_after(steps.slot(node, Part::validate), above);
            steps.order_after(add, above); // columns are in the same order after every run
        }
    }
    for (const Link& link : network.links) {
        // Rows take numbers of it when their column is added, or it comes with the column.
        if (!network.is(link.who, Kind::sequence) || !network.needs_elements(link)) continue;
        for (const EntryId add : steps.added(link.needs)) {
            for (const Part part : {Part::sequence_value, Part::rights})
                steps.run_after(steps.slot(link.who, part), add);
        }
        steps.run_after(steps.slot(link.who, Part::sequence_value), steps.filled(link.needs));
    }
}

void isolate_extras(Steps& steps) {
    std::map<EntryId, std::vector<EntryId>> extras; // per entry, those it only waits for
    for (const auto& [entry, need] : steps.orders) {
        if (steps.entries[need].extra && steps.entries[entry].part != Part::gate)
            extras[entry].push_back(need);
        else
            steps.run_after(entry, need);
    }
    std::map<std::vector<EntryId>, EntryId> gates;
    for (auto& [entry, needs] : extras) {
        std::sort(needs.begin(), needs.end());
        needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
        const auto [at, is_new] = gates.emplace(needs, no_entry);
        if (is_new) {
            at->second = steps.gate(Kind::schema, {}, "the target's own before " + steps.entries[entry].name);
            for (const EntryId need : needs) steps.run_after(at->second, need);
        }
        steps.run_after(entry, at->second);
    }
}

} // namespace pgsluice::graph
