// Loop repair on objects, before any DDL is written: what leaves its CREATE TABLE, which view gets a
// stand-in.
#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "graph/nodes.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;
using Needs = std::vector<std::vector<std::uint32_t>>;

// Node `count + n` is the stand-in of view n, or the step that adds elements to n. Those of other nodes stay
// without edges.
class Repairer {
public:
    explicit Repairer(const Network& network)
        : network_(network), count_(static_cast<NodeId>(network.nodes.size())), separate_(count_),
          dummy_(count_) {
        for (NodeId node = 0; node < count_; ++node) {
            if (!network.nodes[node].separate) continue;
            separate_[node] = true;
            repairs_.shape.separate.insert(network.nodes[node].id);
        }
    }

    Repairs run() {
        while (true) {
            needs_ = write_needs();
            const Order order = sort(needs_);
            if (order.loops.empty()) {
                mark_functions(order);
                return std::move(repairs_);
            }
            for (const std::vector<std::uint32_t>& component : order.loops)
                repair(find_loop(needs_, component));
            std::sort(repairs_.dropped.begin(), repairs_.dropped.end());
        }
    }

private:
    Needs write_needs() const {
        Needs needs(std::size_t{count_} * 2);
        for (const Link& link : network_.links) add(needs, link);
        for (NodeId node = 0; node < count_; ++node) {
            if (dummy_[node]) needs[node].push_back(count_ + node);
            if (network_.nodes[node].adds_elements) needs[count_ + node].push_back(node);
            if (!network_.can_be_inline(node) || separate_[node]) continue;
            const NodeId host = network_.hosts[node];
            needs[network_.nodes[node].of_added ? count_ + host : host].push_back(node);
        }
        return needs;
    }

    void add(Needs& needs, const Link& link) const {
        if (repairs_.is_dropped(link)) return;
        if (network_.is_partition_link(link) || network_.is_owned_by_link(link)) return;
        if (network_.is(link.who, Kind::foreign_key) && network_.is(link.needs, Kind::foreign_key)) {
            if (network_.is_late_part(link)) return;
            needs[link.needs].push_back(
                link.who); // the partitioned table's key adopts those of the partitions
            return;
        }
        const bool is_inline = network_.can_be_inline(link.who) && !separate_[link.who];
        if (is_inline && network_.hosts[link.who] == link.needs) return;
        if (network_.needs_elements(link))
            needs[network_.is_of_elements(link) ? count_ + link.who : link.who].push_back(count_ +
                                                                                          link.needs);
        if (network_.is_of_elements(link)) {
            needs[count_ + link.who].push_back(link.needs);
            return;
        }
        needs[link.who].push_back(
            dummy_[link.needs] && network_.hosts[link.who] != link.needs ? count_ + link.needs : link.needs);
        if (dummy_[link.who] && model::is_namespace_or_type(network_.nodes[link.needs].kind))
            needs[count_ + link.who].push_back(link.needs);
    }

    // The first rule that fits, in pg_dump's order.
    void repair(const std::vector<std::uint32_t>& loop) {
        for (std::size_t i = 0; i < loop.size(); ++i) {
            const std::uint32_t view = loop[i];
            const std::uint32_t user = loop[(i + loop.size() - 1) % loop.size()];
            if (view >= count_ || !network_.is(view, Kind::view) || dummy_[view]) continue;
            if (user < count_ && network_.hosts[user] == view) continue;
            dummy_[view] = true;
            repairs_.shape.dummy.insert(network_.nodes[view].id);
            return;
        }
        if (separate_one(loop, Kind::check, Kind::table) ||
            separate_one(loop, Kind::column_default, Kind::table) ||
            separate_one(loop, Kind::check, Kind::domain))
            return;
        give_up(loop);
    }

    bool separate_one(const std::vector<std::uint32_t>& loop, Kind kind, Kind host) {
        for (const std::uint32_t node : loop) {
            if (node >= count_ || !network_.is(node, kind) || !network_.can_be_inline(node)) continue;
            if (separate_[node] || !network_.is(network_.hosts[node], host)) continue;
            separate_[node] = true;
            repairs_.shape.separate.insert(network_.nodes[node].id);
            return true;
        }
        return false;
    }

    void give_up(const std::vector<std::uint32_t>& loop) {
        std::vector<std::string> names;
        for (const std::uint32_t node : loop)
            if (node < count_) names.push_back(network_.nodes[node].name);
        repairs_.warnings.push_back("could not resolve dependency loop among these items: " +
                                    join(names, ", "));
        for (std::size_t i = 0; i < loop.size(); ++i) {
            const std::uint32_t who = loop[i] % count_;
            const std::uint32_t needs = loop[(i + 1) % loop.size()] % count_;
            if (drop(who, needs) || (network_.is(who, Kind::foreign_key) && drop(needs, who))) return;
        }
        throw Error{ErrorKind::internal, "a dependency loop has no link to drop"}.object(join(names, ", "));
    }

    bool drop(NodeId who, NodeId needs) {
        const auto is_it = [&](const Link& link) { return link.who == who && link.needs == needs; };
        if (who == needs || std::none_of(network_.links.begin(), network_.links.end(), is_it)) return false;
        repairs_.dropped.emplace_back(who, needs);
        return true;
    }

    void mark_functions(const Order& order) {
        std::vector<bool> uses(needs_.size());
        // A separate check of a domain works on every row of the domain's tables, and nothing needs it.
        for (NodeId node = 0; node < count_; ++node)
            if (separate_[node] && !network_.nodes[node].separate && network_.is(node, Kind::check))
                uses[network_.hosts[node]] = true;
        for (const std::uint32_t node : order.nodes) {
            for (const std::uint32_t need : needs_[node]) {
                const Kind kind = network_.nodes[need % count_].kind;
                if (uses[need] || kind == Kind::function || kind == Kind::procedure ||
                    kind == Kind::aggregate)
                    uses[node] = true;
            }
        }
        repairs_.elements_use_functions.resize(count_);
        for (NodeId node = 0; node < count_; ++node)
            repairs_.elements_use_functions[node] = network_.nodes[node].adds_elements && uses[count_ + node];
        uses.resize(count_);
        repairs_.uses_functions = std::move(uses);
    }

    const Network& network_;
    NodeId count_;
    std::vector<bool> separate_, dummy_;
    Needs needs_;
    Repairs repairs_;
};

} // namespace

bool Repairs::is_dropped(const Link& link) const {
    return std::binary_search(dropped.begin(), dropped.end(), std::pair(link.who, link.needs));
}

bool Repairs::is_dummy(const Network& network, NodeId node) const {
    return shape.dummy.contains(network.nodes[node].id);
}

bool Repairs::is_separate(const Network& network, NodeId node) const {
    return shape.separate.contains(network.nodes[node].id);
}

Repairs find_repairs(const Network& network) { return Repairer(network).run(); }

std::vector<std::uint32_t> find_loop(const Needs& needs, const std::vector<std::uint32_t>& component) {
    const std::uint32_t first = component.front();
    std::map<std::uint32_t, std::uint32_t> came_from;
    std::vector<std::uint32_t> queue = {first};
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const std::uint32_t need : needs[queue[at]]) {
            if (need == first && queue[at] != first) {
                std::vector<std::uint32_t> loop;
                for (std::uint32_t node = queue[at]; node != first; node = came_from[node])
                    loop.push_back(node);
                loop.push_back(first);
                std::reverse(loop.begin(), loop.end());
                return loop;
            }
            if (need == first || !std::binary_search(component.begin(), component.end(), need)) continue;
            if (came_from.emplace(need, queue[at]).second) queue.push_back(need);
        }
    }
    throw Error{ErrorKind::internal, "a component without a loop"};
}

} // namespace pgsluice::graph
