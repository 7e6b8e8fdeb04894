// What only the target has: where its columns come in, and that nothing shared fails with it.
#include <algorithm>
#include <map>

#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

// The column goes down to the shared tables below, which are there by then and have no rows yet.
void order_table_below(Steps& steps, NodeId table) {
    for (const EntryId add : steps.added(table)) {
        if (add == steps.slot(table, Part::add_elements)) continue;
        steps.run_after(add, steps.slot(table, Part::create));
        steps.run_after(add, steps.slot(table, Part::attach));
        steps.run_after(steps.slot(table, Part::rows), add);
    }
}

} // namespace

void add_element_edges(Steps& steps) {
    const Network& network = steps.network;
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        order_table_below(steps, node);
        const EntryId add = steps.slot(node, Part::add_elements);
        if (add == no_entry) continue;
        for (const Part part : {Part::rows, Part::after_rows, Part::validate, Part::analyze, Part::rights})
            steps.run_after(steps.slot(node, part), add);
        // A default that a loop took out of the column: the source's rows are to take it.
        for (const NodeId satellite : steps.satellites[node])
            if (network.nodes[satellite].of_added && !steps.is_inline(satellite))
                steps.run_after(steps.slot(node, Part::rows), steps.slot(satellite, Part::create));
    }
    for (const Link& link : network.links) {
        // The source's rows have taken numbers of it, or it comes with its column.
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
