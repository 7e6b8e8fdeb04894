#include "graph/steps.hpp"

#include <set>

namespace pgsluice::graph {

using model::Kind;

namespace {

std::string with_comment(const std::string& sql, const std::string& comment) {
    return sql.empty() || comment.empty() ? sql + comment : sql + "\n" + comment;
}

bool builds_when_created(Kind kind) {
    return kind == Kind::index || kind == Kind::constraint || kind == Kind::check;
}

} // namespace

Steps::Steps(const Network& network_, const Repairs& repairs_, const std::vector<Item>& items_)
    : network(network_), repairs(repairs_), items(items_), merged(merged_tables(network_)) {
    const std::size_t count = network.nodes.size();
    std::array<EntryId, part_count> none{};
    none.fill(no_entry);
    slots_.assign(count, none);
    satellites.resize(count);
    filled_gates.assign(count, no_entry);
    attached_gates.assign(count, no_entry);
    for (NodeId node = 0; node < count; ++node) {
        const Item& item = items[node];
        if (network.hosts[node] != node) satellites[network.hosts[node]].push_back(node);
        add(node, Part::dummy, item.ddl.dummy);
        add(node, Part::build_index, item.ddl.build_index);
        add(node, Part::create, with_comment(item.ddl.create, item.comment));
        add(node, Part::add_elements, item.ddl.add_elements);
        add(node, Part::attach, item.ddl.attach);
        add(node, Part::owned_by, item.ddl.owned_by);
        if (item.rows) add(node, Part::rows, " ");
        add(node, Part::sequence_value, item.sequence_value);
        add(node, Part::after_rows, item.ddl.after_rows);
        add(node, Part::validate, item.ddl.validate);
        add(node, Part::analyze, item.analyze);
        add(node, Part::rights, item.rights);
        add(node, Part::refresh, item.ddl.refresh);
        if (item.rows) entries[slot(node, Part::rows)].sql.clear();
    }
    find_children();
}

// The column goes down to the tables below.
void Steps::find_children() {
    const std::size_t count = network.nodes.size();
    children.resize(count);
    added_.resize(count);
    for (const Link& link : network.links)
        if (network.is(link.who, Kind::table) && network.is(link.needs, Kind::table) &&
            !network.is_of_elements(link) && !network.nodes[link.who].extra)
            children[link.needs].push_back(link.who);
    for (NodeId node = 0; node < count; ++node) {
        if (slot(node, Part::add_elements) == no_entry) continue;
        std::vector<NodeId> queue = {node};
        std::set<NodeId> seen = {node};
        for (std::size_t at = 0; at < queue.size(); ++at) {
            added_[queue[at]].push_back(slot(node, Part::add_elements));
            for (const NodeId child : children[queue[at]])
                if (seen.insert(child).second) queue.push_back(child);
        }
    }
}

void Steps::add(NodeId node, Part part, std::string sql) {
    if (sql.empty()) return;
    const Node& object = network.nodes[node];
    slots_[node][static_cast<std::size_t>(part)] = static_cast<EntryId>(entries.size());
    Entry& entry = entries.emplace_back();
    entry.part = part;
    entry.kind = object.kind;
    entry.object = object.id;
    entry.name = object.name;
    entry.sql = std::move(sql);
    entry.extra =
        object.extra || part == Part::add_elements || (part == Part::validate && object.kind == Kind::table);
    switch (part) {
    case Part::rows:
    case Part::build_index:
    case Part::validate:
    case Part::analyze:
    case Part::refresh: break;
    case Part::create:
        if (builds_when_created(object.kind)) break;
        return;
    case Part::add_elements: entry.runs_functions = repairs.elements_use_functions[node]; return;
    default: return;
    }
    entry.runs_functions = repairs.uses_functions[node] || repairs.uses_functions[network.hosts[node]];
}

bool Steps::is_inline(NodeId node) const {
    return network.can_be_inline(node) && items[node].ddl.create.empty();
}

EntryId Steps::main(NodeId node) const {
    if (is_inline(node)) {
        const NodeId host = network.hosts[node];
        return network.nodes[node].of_added ? slot(host, Part::add_elements) : main(host);
    }
    // Rows: of an extension's table, which the extension makes.
    for (const Part part :
         {Part::create, Part::attach, Part::after_rows, Part::build_index, Part::owned_by, Part::rows})
        if (slot(node, part) != no_entry) return slot(node, part);
    return no_entry;
}

EntryId Steps::made(NodeId node) const {
    if (!is_inline(node) && main(node) != no_entry) return main(node);
    return network.hosts[node] == node ? no_entry : made(network.hosts[node]);
}

EntryId Steps::filled(NodeId node) const {
    const NodeId top = root(node);
    if (items[node].load_through_root && filled_gates[top] != no_entry) return filled_gates[top];
    if (filled_gates[node] != no_entry) return filled_gates[node];
    for (const Part part : {Part::rows, Part::refresh})
        if (slot(node, part) != no_entry) return slot(node, part);
    const EntryId attach = slot(node, Part::attach);
    return attach == no_entry || is_late(node) ? made(node) : attach;
}

EntryId Steps::gate(Kind kind, model::CatalogId object, std::string name) {
    Entry& entry = entries.emplace_back();
    entry.part = Part::gate;
    entry.kind = kind;
    entry.object = object;
    entry.name = std::move(name);
    return static_cast<EntryId>(entries.size() - 1);
}

void Steps::run_after(EntryId entry, EntryId need) {
    if (entry == no_entry || need == no_entry || entry == need) return;
    entries[entry].needs.push_back(need);
}

void Steps::order_after(EntryId entry, EntryId need) {
    if (entry == no_entry || need == no_entry || entry == need) return;
    orders.emplace_back(entry, need);
}

NodeId Steps::root(NodeId table) const {
    // A hostile catalog may hold a ring: never more steps than tables.
    for (std::size_t steps = 0; steps < network.nodes.size() && network.parents[table] != table; ++steps)
        table = network.parents[table];
    return table;
}

} // namespace pgsluice::graph
