// The stable topological order, and what is left over as strongly connected components. Linear but for the
// heap; nothing recurses: a chain may be as long as the catalog.
#include <algorithm>
#include <functional>
#include <queue>

#include "graph/graph.hpp"

namespace pgsluice::graph {

namespace {

using Needs = std::vector<std::vector<std::uint32_t>>;

// Tarjan's algorithm with a stack of its own.
class Components {
public:
    Components(const Needs& needs, const std::vector<bool>& left)
        : needs_(needs), left_(left), marks_(needs.size()) {
        for (std::uint32_t node = 0; node < needs.size(); ++node)
            if (left[node] && marks_[node].number == 0) walk(node);
        std::sort(found_.begin(), found_.end());
    }
    std::vector<std::vector<std::uint32_t>> take() { return std::move(found_); }

private:
    struct Mark {
        std::uint32_t number = 0, lowest = 0;
        bool open = false;
    };
    struct Step {
        std::uint32_t node;
        std::size_t next;
    };

    void enter(std::uint32_t node) {
        ++numbers_;
        marks_[node] = {.number = numbers_, .lowest = numbers_, .open = true};
        open_.push_back(node);
        steps_.push_back({node, 0});
    }

    void walk(std::uint32_t root) {
        enter(root);
        while (!steps_.empty()) {
            const std::uint32_t node = steps_.back().node;
            if (steps_.back().next == needs_[node].size()) {
                leave(node);
                continue;
            }
            const std::uint32_t need = needs_[node][steps_.back().next++];
            if (!left_[need]) continue;
            if (marks_[need].number == 0)
                enter(need);
            else if (marks_[need].open)
                marks_[node].lowest = std::min(marks_[node].lowest, marks_[need].number);
        }
    }

    void leave(std::uint32_t node) {
        steps_.pop_back();
        if (!steps_.empty()) {
            Mark& above = marks_[steps_.back().node];
            above.lowest = std::min(above.lowest, marks_[node].lowest);
        }
        if (marks_[node].lowest != marks_[node].number) return;
        std::vector<std::uint32_t> component;
        while (true) {
            const std::uint32_t member = open_.back();
            open_.pop_back();
            marks_[member].open = false;
            component.push_back(member);
            if (member == node) break;
        }
        if (component.size() < 2) return;
        std::sort(component.begin(), component.end());
        found_.push_back(std::move(component));
    }

    const Needs& needs_;
    const std::vector<bool>& left_;
    std::vector<Mark> marks_;
    std::vector<std::uint32_t> open_;
    std::vector<Step> steps_;
    std::vector<std::vector<std::uint32_t>> found_;
    std::uint32_t numbers_ = 0;
};

} // namespace

Order sort(const Needs& needs) {
    const std::size_t count = needs.size();
    std::vector<std::uint32_t> missing(count);
    Needs dependents(count);
    for (std::uint32_t node = 0; node < count; ++node) {
        for (const std::uint32_t need : needs[node]) {
            if (need == node) continue;
            ++missing[node];
            dependents[need].push_back(node);
        }
    }
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
    for (std::uint32_t node = 0; node < count; ++node)
        if (missing[node] == 0) ready.push(node);
    Order order;
    std::vector<bool> left(count, true);
    while (!ready.empty()) {
        const std::uint32_t node = ready.top();
        ready.pop();
        order.nodes.push_back(node);
        left[node] = false;
        for (const std::uint32_t dependent : dependents[node])
            if (--missing[dependent] == 0) ready.push(dependent);
    }
    if (order.nodes.size() < count) order.loops = Components(needs, left).take();
    return order;
}

} // namespace pgsluice::graph
