// The merge of the target's rows: after the rows and keys of its tables, before what rows could break or set
// off.
#include <set>

#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

void order_satellite(Steps& steps, NodeId node) {
    switch (steps.network.nodes[node].kind) {
    case Kind::index:
    case Kind::constraint:
        for (const Part part : {Part::build_index, Part::create, Part::attach})
            steps.order_after(steps.merge, steps.slot(node, part));
        break;
    case Kind::check:
        if (steps.network.nodes[node].tells_rows)
            steps.order_after(steps.merge, steps.slot(node, Part::create));
        else
            for (const Part part : {Part::create, Part::validate})
                steps.order_after(steps.slot(node, part), steps.merge);
        break;
    case Kind::trigger:
    case Kind::rule:
    case Kind::policy:
    case Kind::foreign_key:
        for (const Part part : {Part::create, Part::validate, Part::after_rows})
            steps.order_after(steps.slot(node, part), steps.merge);
        break;
    default: break;
    }
}

} // namespace

// With their partitions and with the tables that they are partitions of: keys and triggers may sit on either.
std::set<NodeId> merged_tables(const Network& network) {
    std::set<NodeId> merged;
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        std::set<NodeId> above = {node};
        bool found = network.nodes[node].merged;
        for (NodeId table = node; network.parents[table] != table;) {
            table = network.parents[table];
            if (!above.insert(table).second) break;
            found = found || network.nodes[table].merged;
        }
        if (!found) continue;
        merged.insert(node);
        if (network.nodes[node].merged) merged.insert(above.begin(), above.end());
    }
    return merged;
}

void add_merge_edges(Steps& steps) {
    const Network& network = steps.network;
    const std::set<NodeId>& merged = steps.merged;
    if (merged.empty()) return;
    steps.merge = steps.gate(Kind::table, {}, "merge of the target's rows");
    steps.entries[steps.merge].part = Part::merge;
    for (NodeId node = 0; node < network.nodes.size(); ++node)
        steps.order_after(steps.merge, steps.slot(node, Part::add_elements));
    for (const NodeId table : merged) {
        steps.order_after(steps.merge, steps.filled(table));
        steps.order_after(steps.merge, steps.slot(table, Part::attach));
        for (const NodeId satellite : steps.satellites[table]) order_satellite(steps, satellite);
        for (const Part part : {Part::after_rows, Part::validate, Part::analyze, Part::rights})
            steps.order_after(steps.slot(table, part), steps.merge);
    }
    for (const Link& link : network.links) {
        const NodeId table = network.hosts[link.who];
        // One of a parent's that this table inherits.
        if (network.nodes[link.who].tells_rows && merged.contains(link.needs))
            steps.order_after(steps.merge, steps.slot(link.who, Part::create));
        if (network.is(link.who, Kind::foreign_key) && merged.contains(link.needs))
            for (const Part part : {Part::create, Part::validate})
                steps.order_after(steps.slot(link.who, part), steps.merge);
        // Of a table that the target lacks only the rows say whether a reference is kept.
        if (network.is(link.who, Kind::foreign_key) && network.is(link.needs, Kind::table) &&
            merged.contains(table))
            steps.order_after(steps.merge, steps.filled(link.needs));
        // New keys come from behind all that the source has ever given.
        if (network.is(link.who, Kind::sequence) && merged.contains(link.needs))
            steps.order_after(steps.merge, steps.slot(link.who, Part::sequence_value));
        if (network.is(link.needs, Kind::sequence) && merged.contains(table))
            steps.order_after(steps.merge, steps.slot(link.needs, Part::sequence_value));
    }
}

} // namespace pgsluice::graph
