// What comes last: rights, then materialized views, then default privileges.
#include <map>

#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

// Comes after the refresh, so nothing before the refresh may wait for it.
bool hangs_on_refresh(const Steps& steps, NodeId node) {
    const NodeId host = steps.network.hosts[node];
    return host != node && steps.slot(host, Part::refresh) != no_entry;
}

// Rows, index builds and checks run functions as the connecting role or as the table's present owner: rights
// on functions, types and schemas wait for all of them, as pg_dump's ACL pass does.
EntryId make_loaded_gate(Steps& steps) {
    const EntryId gate = steps.gate(Kind::schema, {}, "all rows, indexes and checks");
    steps.run_after(gate, steps.merge);
    for (NodeId node = 0; node < steps.network.nodes.size(); ++node) {
        if (hangs_on_refresh(steps, node)) continue;
        steps.run_after(gate, steps.slot(node, Part::rows));
        const Kind kind = steps.network.nodes[node].kind;
        if (kind != Kind::index && kind != Kind::constraint && kind != Kind::check) continue;
        for (const Part part : {Part::build_index, Part::create, Part::attach, Part::validate})
            steps.run_after(gate, steps.slot(node, part));
    }
    return gate;
}

void order_table_rights(Steps& steps, NodeId table) {
    const EntryId rights = steps.slot(table, Part::rights);
    if (rights == no_entry) return;
    steps.order_after(rights, steps.filled(table));
    steps.order_after(rights, steps.slot(table, Part::after_rows));
    for (const NodeId node : steps.satellites[table]) {
        for (const Part part : {Part::create, Part::build_index, Part::attach, Part::after_rows})
            steps.order_after(rights, steps.slot(node, part));
        if (steps.items[table].owner_is_restricted)
            steps.order_after(rights, steps.slot(node, Part::validate));
    }
    if (steps.items[table].owner_is_restricted) steps.order_after(rights, steps.slot(table, Part::analyze));
}

// Whoever becomes owner needs CREATE on the schema; who creates needs it too, and may lose it here.
void order_schema_rights(Steps& steps) {
    const Network& network = steps.network;
    std::map<std::string, EntryId> rights;
    for (NodeId node = 0; node < network.nodes.size(); ++node)
        if (network.is(node, Kind::schema))
            rights[network.nodes[node].schema] = steps.slot(node, Part::rights);
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        const auto of_schema = rights.find(network.nodes[node].schema);
        if (of_schema == rights.end() || network.is(node, Kind::schema)) continue;
        if (steps.items[node].changes_owner)
            steps.order_after(steps.slot(node, Part::rights), of_schema->second);
        if (network.is(node, Kind::default_acl) || hangs_on_refresh(steps, node)) continue;
        steps.order_after(of_schema->second, steps.slot(node, Part::create));
        steps.order_after(of_schema->second, steps.slot(node, Part::build_index));
    }
}

// The materialized views that refreshing `view` reads, through views and functions.
std::vector<NodeId> reads(const Network& network, const std::vector<std::vector<NodeId>>& needs,
                          NodeId view) {
    std::vector<NodeId> found, queue = {view};
    std::vector<bool> seen(network.nodes.size());
    seen[view] = true;
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const NodeId need : needs[queue[at]]) {
            if (seen[need]) continue;
            seen[need] = true;
            if (network.is(need, Kind::materialized_view))
                found.push_back(need);
            else
                queue.push_back(need);
        }
    }
    return found;
}

std::vector<bool> reached_from(const Steps& steps, const std::vector<EntryId>& starts) {
    std::vector<std::vector<EntryId>> dependents(steps.entries.size());
    for (EntryId entry = 0; entry < steps.entries.size(); ++entry)
        for (const EntryId need : steps.entries[entry].needs) dependents[need].push_back(entry);
    std::vector<bool> reached(steps.entries.size());
    std::vector<EntryId> queue = starts;
    for (const EntryId start : starts) reached[start] = true;
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const EntryId next : dependents[queue[at]]) {
            if (reached[next]) continue;
            reached[next] = true;
            queue.push_back(next);
        }
    }
    return reached;
}

// A gate after everything that `left_out` does not name; only the ends of chains become its needs.
EntryId make_gate_after(Steps& steps, std::string name, const std::vector<bool>& left_out) {
    std::vector<bool> needed(left_out.size());
    for (EntryId entry = 0; entry < left_out.size(); ++entry)
        if (!left_out[entry])
            for (const EntryId need : steps.entries[entry].needs) needed[need] = true;
    const EntryId gate = steps.gate(Kind::schema, {}, std::move(name));
    for (EntryId entry = 0; entry < left_out.size(); ++entry)
        if (!left_out[entry] && !needed[entry]) steps.run_after(gate, entry);
    return gate;
}

std::vector<EntryId> entries_of(const Steps& steps, Kind kind, Part part) {
    std::vector<EntryId> found;
    for (NodeId node = 0; node < steps.network.nodes.size(); ++node)
        if (steps.network.is(node, kind) && steps.slot(node, part) != no_entry)
            found.push_back(steps.slot(node, part));
    return found;
}

std::vector<bool> needed_by_others(const Steps& steps) {
    std::vector<bool> needed(steps.entries.size());
    for (const Entry& entry : steps.entries)
        for (const EntryId need : entry.needs) needed[need] = true;
    return needed;
}

} // namespace

void add_rights_edges(Steps& steps) {
    const Network& network = steps.network;
    EntryId loaded = no_entry;
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        const EntryId rights = steps.slot(node, Part::rights);
        if (network.is(node, Kind::table)) {
            order_table_rights(steps, node);
        } else if (rights != no_entry) {
            if (loaded == no_entry) loaded = make_loaded_gate(steps);
            steps.order_after(rights, loaded);
        }
    }
    for (const Link& link : network.links) {
        if (!network.is(link.needs, Kind::table)) continue;
        if (network.is(link.who, Kind::sequence)) { // a table's owner is also the owner of its sequences
            steps.order_after(steps.slot(link.who, Part::rights), steps.slot(link.needs, Part::rights));
            steps.order_after(steps.slot(link.needs, Part::rights), steps.slot(link.who, Part::owned_by));
        }
        // FROM another table: whoever makes it needs the right TRIGGER on that.
        if (network.is(link.who, Kind::trigger))
            steps.order_after(steps.slot(link.needs, Part::rights), steps.slot(link.who, Part::create));
    }
    order_schema_rights(steps);
}

void add_refresh_edges(Steps& steps) {
    const Network& network = steps.network;
    const std::vector<EntryId> refreshes = entries_of(steps, Kind::materialized_view, Part::refresh);
    const std::vector<EntryId> defaults = entries_of(steps, Kind::default_acl, Part::create);
    if (!refreshes.empty()) {
        // Checking foreign keys is long and changes nothing that a view could read.
        std::vector<EntryId> starts = refreshes;
        starts.insert(starts.end(), defaults.begin(), defaults.end());
        const std::vector<bool> needed = needed_by_others(steps);
        for (const EntryId entry : entries_of(steps, Kind::foreign_key, Part::validate))
            if (!needed[entry]) starts.push_back(entry);
        const std::vector<bool> late = reached_from(steps, starts);
        const EntryId complete = make_gate_after(steps, "all rows, rights and definitions", late);
        std::vector<std::vector<NodeId>> needs(network.nodes.size());
        for (const Link& link : network.links) needs[link.who].push_back(link.needs);
        for (NodeId view = 0; view < network.nodes.size(); ++view) {
            const EntryId refresh = steps.slot(view, Part::refresh);
            if (refresh == no_entry) continue;
            steps.run_after(refresh, complete);
            for (const NodeId other : reads(network, needs, view))
                steps.run_after(refresh, steps.slot(other, Part::refresh));
        }
    }
    if (defaults.empty()) return;
    const EntryId last = make_gate_after(steps, "everything", reached_from(steps, defaults));
    for (const EntryId entry : defaults) steps.run_after(entry, last);
}

} // namespace pgsluice::graph
