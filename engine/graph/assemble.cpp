#include <algorithm>

#include "base/text.hpp"
#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using Needs = std::vector<std::vector<std::uint32_t>>;

Needs take_needs(std::vector<Entry>& entries) {
    Needs needs;
    needs.reserve(entries.size());
    for (Entry& entry : entries) {
        std::sort(entry.needs.begin(), entry.needs.end());
        entry.needs.erase(std::unique(entry.needs.begin(), entry.needs.end()), entry.needs.end());
        needs.push_back(std::move(entry.needs));
    }
    return needs;
}

// What objects alone do not show: two steps that wait for each other. Dropping an edge lets the server
// decide.
Order sort_at_any_price(Needs& needs, const std::vector<Entry>& entries, std::vector<std::string>& warnings) {
    while (true) {
        Order order = sort(needs);
        if (order.loops.empty()) return order;
        for (const std::vector<std::uint32_t>& component : order.loops) {
            const std::vector<std::uint32_t> loop = find_loop(needs, component);
            std::vector<std::string> names;
            names.reserve(loop.size());
            for (const std::uint32_t node : loop)
                names.push_back(entries[node].name + " (" + std::string(part_name(entries[node].part)) + ")");
            warnings.push_back("could not resolve dependency loop among these items: " + join(names, ", "));
            std::vector<std::uint32_t>& first = needs[loop[0]];
            first.erase(std::find(first.begin(), first.end(), loop[1]));
        }
    }
}

} // namespace

Graph assemble(const Network& network, const Repairs& repairs, const std::vector<Item>& items) {
    Steps steps(network, repairs, items);
    add_link_edges(steps);
    add_partition_edges(steps);
    add_table_edges(steps);
    add_key_edges(steps);
    add_element_edges(steps);
    add_merge_edges(steps);
    add_rights_edges(steps);
    isolate_extras(steps);
    add_refresh_edges(steps);

    Graph graph;
    graph.warnings = repairs.warnings;
    Needs needs = take_needs(steps.entries);
    const Order order = sort_at_any_price(needs, steps.entries, graph.warnings);
    std::vector<EntryId> places(order.nodes.size());
    for (EntryId place = 0; place < order.nodes.size(); ++place) places[order.nodes[place]] = place;
    graph.entries.reserve(order.nodes.size());
    for (const std::uint32_t node : order.nodes) {
        Entry& entry = graph.entries.emplace_back(std::move(steps.entries[node]));
        entry.needs = std::move(needs[node]);
        for (EntryId& need : entry.needs) need = places[need];
        std::sort(entry.needs.begin(), entry.needs.end());
    }
    return graph;
}

} // namespace pgsluice::graph
