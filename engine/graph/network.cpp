#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "graph/nodes.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

bool hosts_others(Kind kind) {
    return kind == Kind::table || kind == Kind::view || kind == Kind::materialized_view ||
           kind == Kind::domain;
}

bool has_host(Kind kind) {
    switch (kind) {
    case Kind::column_default:
    case Kind::check:
    case Kind::constraint:
    case Kind::index:
    case Kind::statistics:
    case Kind::rule:
    case Kind::trigger:
    case Kind::foreign_key:
    case Kind::policy: return true;
    default: return false;
    }
}

using Ids = std::map<model::CatalogId, NodeId>;

void find_hosts(Network& network, const Ids& ids) {
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        if (!has_host(network.nodes[node].kind)) continue;
        const auto relation = ids.find(network.nodes[node].relation);
        if (relation != ids.end()) network.hosts[node] = relation->second;
    }
    // A domain's check has no relation: its host is what pg_depend drops it with.
    for (const Link& link : network.links) {
        if (!has_host(network.nodes[link.who].kind) || network.hosts[link.who] != link.who) continue;
        if (link.type != 'n' && hosts_others(network.nodes[link.needs].kind))
            network.hosts[link.who] = link.needs;
    }
}

} // namespace

bool Network::can_be_inline(NodeId node) const {
    if (!is(node, Kind::column_default) && !is(node, Kind::check)) return false;
    return hosts[node] != node && (is(hosts[node], Kind::table) || is(hosts[node], Kind::domain));
}

bool Network::is_partition_link(const Link& link) const {
    return link.type == 'a' && is(link.who, Kind::table) && is(link.needs, Kind::table);
}

bool Network::is_owned_by_link(const Link& link) const {
    return link.type == 'a' && is(link.who, Kind::sequence) && is(link.needs, Kind::table);
}

bool Network::is_part_of_link(const Link& link) const {
    const Kind kind = nodes[link.who].kind;
    if (kind != nodes[link.needs].kind) return false;
    return kind == Kind::index || kind == Kind::constraint || kind == Kind::foreign_key ||
           kind == Kind::trigger;
}

Network make_network(std::vector<Node> nodes, const std::vector<model::Dependency>& dependencies) {
    Network network;
    network.nodes = std::move(nodes);
    Ids ids;
    for (NodeId node = 0; node < network.nodes.size(); ++node) {
        ids.emplace(network.nodes[node].id, node);
        network.hosts.push_back(node);
        network.parents.push_back(node);
    }
    for (const model::Dependency& dependency : dependencies) {
        const auto who = ids.find(dependency.who);
        const auto needs = ids.find(dependency.needs);
        if (who == ids.end() || needs == ids.end() || who->second == needs->second) continue;
        network.links.push_back({who->second, needs->second, dependency.type});
    }
    const auto key = [](const Link& link) { return std::tuple(link.who, link.needs, link.type); };
    std::sort(network.links.begin(), network.links.end(),
              [&](const Link& a, const Link& b) { return key(a) < key(b); });
    const auto last = std::unique(network.links.begin(), network.links.end(),
                                  [&](const Link& a, const Link& b) { return key(a) == key(b); });
    network.links.erase(last, network.links.end());
    find_hosts(network, ids);
    for (const Link& link : network.links)
        if (network.is_partition_link(link)) network.parents[link.who] = link.needs;
    return network;
}

} // namespace pgsluice::graph
