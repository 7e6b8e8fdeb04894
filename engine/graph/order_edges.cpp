// Orders that pg_depend does not know (rules.md section 10): partitions, rows, indexes, triggers, statistics,
// keys.
#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

// ATTACH before rows: after them it would read every partition. And all of a tree's before the first of its
// rows, because attaching locks and reads the default partition.
void make_gates(Steps& steps) {
    const Network& network = steps.network;
    for (NodeId table = 0; table < network.nodes.size(); ++table) {
        const NodeId parent = network.parents[table];
        if (parent == table) continue;
        const Node& node = network.nodes[parent];
        if (steps.filled_gates[parent] == no_entry)
            steps.filled_gates[parent] = steps.gate(node.kind, node.id, "all rows of " + node.name);
        const NodeId root = steps.root(table);
        if (steps.attached_gates[root] == no_entry)
            steps.attached_gates[root] = steps.gate(Kind::table, network.nodes[root].id,
                                                    "all partitions of " + network.nodes[root].name);
    }
}

void order_satellite(Steps& steps, NodeId table, NodeId node) {
    const auto own = [&](Part part) { return steps.slot(node, part); };
    const EntryId filled = steps.filled(table);
    switch (steps.network.nodes[node].kind) {
    case Kind::index:
    case Kind::constraint:
        steps.run_after(own(Part::build_index), filled);
        if (!steps.items[node].ddl.create.empty() && own(Part::build_index) == no_entry)
            steps.run_after(own(Part::create), filled);
        steps.order_after(steps.slot(table, Part::analyze), steps.made(node));
        // A replica identity is of columns that are NOT NULL.
        steps.order_after(own(Part::after_rows), steps.slot(table, Part::validate));
        steps.run_after(own(Part::attach), steps.slot(table, Part::attach));
        break;
    case Kind::statistics: steps.order_after(steps.slot(table, Part::analyze), own(Part::create)); break;
    case Kind::check:
        // One that does not hold for old rows, or whose function reads the table.
        if (!steps.items[node].ddl.create.empty()) steps.run_after(own(Part::create), filled);
        steps.run_after(own(Part::validate), filled);
        break;
    case Kind::trigger:
    case Kind::rule:
    case Kind::policy:
        steps.run_after(own(Part::create), filled);
        steps.run_after(own(Part::after_rows), filled);
        break;
    default: break;
    }
}

bool waits_for_indexes(Kind kind) {
    return kind == Kind::trigger || kind == Kind::rule || kind == Kind::policy;
}

// The little that is left to do to a table comes when its long work is over.
void order_small_ddl(Steps& steps, NodeId table) {
    for (const NodeId index : steps.satellites[table]) {
        if (!steps.network.is(index, Kind::index) && !steps.network.is(index, Kind::constraint)) continue;
        const EntryId built = steps.made(index);
        steps.order_after(steps.slot(table, Part::after_rows), built);
        for (const NodeId node : steps.satellites[table])
            if (waits_for_indexes(steps.network.nodes[node].kind))
                steps.order_after(steps.slot(node, Part::create), built);
    }
}

// A domain's check is made early, unless the domain's rows need not fulfil it (NOT VALID).
void order_domain_check(Steps& steps, NodeId node, EntryId& all_rows) {
    const Network& network = steps.network;
    if (!network.is(node, Kind::check) || !network.is(network.hosts[node], Kind::domain)) return;
    const bool repaired = steps.repairs.is_separate(network, node) && !network.nodes[node].separate;
    if (steps.items[node].ddl.create.empty() || repaired) return;
    if (all_rows == no_entry) {
        all_rows = steps.gate(Kind::table, {}, "all rows");
        for (NodeId table = 0; table < network.nodes.size(); ++table)
            steps.run_after(all_rows, steps.slot(table, Part::rows));
    }
    steps.run_after(steps.slot(node, Part::create), all_rows);
}

// The tables of a foreign key: its own, and the one it references (the same, if it references itself).
NodeId referenced_table(const Network& network, NodeId key, std::size_t& link) {
    NodeId found = network.hosts[key];
    for (; link < network.links.size() && network.links[link].who == key; ++link) {
        const NodeId needs = network.links[link].needs;
        if (network.is(needs, Kind::table) && needs != network.hosts[key]) found = needs;
    }
    return found;
}

void order_foreign_key(Steps& steps, NodeId key, NodeId table) {
    const EntryId create = steps.slot(key, Part::create);
    steps.run_after(create, steps.filled(table));
    for (const NodeId node : steps.satellites[table])
        if (steps.network.is(node, Kind::constraint)) steps.order_after(create, steps.made(node));
    steps.order_after(steps.slot(key, Part::validate), steps.slot(table, Part::analyze));
    steps.run_after(steps.slot(key, Part::validate), steps.filled(table));
    // A row security that binds the owner, too, lets nobody validate.
    steps.order_after(steps.slot(table, Part::after_rows), steps.slot(key, Part::validate));
    steps.order_after(steps.slot(table, Part::rights), create);
    if (steps.items[table].owner_is_restricted)
        steps.order_after(steps.slot(table, Part::rights), steps.slot(key, Part::validate));
}

} // namespace

// Before the merge, if rows could go into it; foreign keys and triggers come after that.
void order_late_partition(Steps& steps, NodeId table) {
    const Network& network = steps.network;
    const NodeId parent = network.parents[table];
    const EntryId attach = steps.slot(table, Part::attach);
    for (const NodeId node : steps.satellites[table])
        if (network.is(node, Kind::trigger)) steps.run_after(steps.slot(node, Part::after_rows), attach);
    if (network.nodes[parent].extra) { // whole before it is attached itself
        steps.order_after(steps.slot(parent, Part::attach), attach);
        for (const NodeId node : steps.satellites[table])
            steps.order_after(steps.slot(parent, Part::attach), steps.slot(node, Part::attach));
        return;
    }
    steps.order_after(attach, steps.filled(parent));
    for (const NodeId host : {parent, table}) {
        for (const NodeId node : steps.satellites[host]) {
            const bool early = network.is(node, Kind::index) || network.is(node, Kind::constraint);
            if (!early && steps.merged.contains(table)) continue;
            if (network.is(node, Kind::trigger) && host == table) continue;
            for (const Part part : {Part::create, Part::build_index, Part::validate})
                steps.order_after(attach, steps.slot(node, part));
            if (host == parent) steps.order_after(attach, steps.slot(node, Part::attach));
        }
    }
    steps.order_after(steps.slot(parent, Part::rights), attach);
}

void add_partition_edges(Steps& steps) {
    make_gates(steps);
    const Network& network = steps.network;
    for (NodeId table = 0; table < network.nodes.size(); ++table) {
        if (!network.is(table, Kind::table)) continue;
        if (steps.is_late(table)) continue;
        const EntryId attached = steps.attached_gates[steps.root(table)];
        steps.run_after(attached, steps.made(table));
        steps.run_after(attached, steps.slot(table, Part::attach));
        steps.run_after(steps.slot(table, Part::rows), attached);
        steps.run_after(steps.filled_gates[table], attached);
        if (network.parents[table] == table) continue;
        const EntryId all = steps.filled_gates[network.parents[table]];
        steps.run_after(all, steps.slot(table, Part::rows));
        steps.run_after(all, steps.filled_gates[table]);
    }
}

void add_table_edges(Steps& steps) {
    EntryId all_rows = no_entry;
    for (NodeId node = 0; node < steps.network.nodes.size(); ++node) {
        if (steps.is_late(node)) order_late_partition(steps, node);
        if (steps.network.is(node, Kind::table))
            steps.run_after(steps.slot(node, Part::validate), steps.filled(node));
        const EntryId filled = steps.filled(node);
        steps.run_after(steps.slot(node, Part::after_rows), filled);
        steps.run_after(steps.slot(node, Part::analyze), filled);
        for (const NodeId satellite : steps.satellites[node]) order_satellite(steps, node, satellite);
        order_small_ddl(steps, node);
        order_domain_check(steps, node, all_rows);
    }
}

void add_key_edges(Steps& steps) {
    const Network& network = steps.network;
    std::vector<std::vector<EntryId>> attached(network.nodes.size()); // per key or index: of its partitions'
    for (const Link& link : network.links)
        if (network.is_part_of_link(link) && steps.slot(link.who, Part::attach) != no_entry &&
            !network.is_late_part(link))
            attached[link.needs].push_back(steps.slot(link.who, Part::attach));
    // An index is whole when its partitions' are: so is the next above it.
    for (NodeId node = 0; node < network.nodes.size(); ++node)
        for (const EntryId below : attached[node]) steps.run_after(steps.slot(node, Part::attach), below);
    std::size_t at = 0;
    for (NodeId key = 0; key < network.nodes.size(); ++key) {
        while (at < network.links.size() && network.links[at].who < key) ++at;
        if (!network.is(key, Kind::foreign_key) || network.hosts[key] == key) continue;
        for (std::size_t i = at; i < network.links.size() && network.links[i].who == key; ++i)
            for (const EntryId below : attached[network.links[i].needs])
                steps.run_after(steps.slot(key, Part::create), below);
        const NodeId referenced = referenced_table(network, key, at);
        order_foreign_key(steps, key, network.hosts[key]);
        if (referenced != network.hosts[key]) order_foreign_key(steps, key, referenced);
    }
}

} // namespace pgsluice::graph
