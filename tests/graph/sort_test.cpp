#include <algorithm>

#include "graph/graph.hpp"
#include "support/catch.hpp"

using namespace pgsluice::graph;
using Nodes = std::vector<std::uint32_t>;

TEST_CASE("what needs nothing stays where it was") {
    CHECK(sort({{}, {}, {}}).nodes == Nodes{0, 1, 2});
    // 0 needs 2: it moves behind 2 and no further, and 1 stays in front.
    CHECK(sort({{2}, {}, {}, {}}).nodes == Nodes{1, 2, 0, 3});
}

TEST_CASE("a need of itself counts for nothing") { CHECK(sort({{0}, {1, 0}}).nodes == Nodes{0, 1}); }

TEST_CASE("loops come out as components, what only waits for them does not") {
    // 0 <-> 1; 2 needs 1; 3 -> 4 -> 5 -> 3
    const Order order = sort({{1}, {0}, {1}, {4}, {5}, {3}, {}});
    CHECK(order.nodes == Nodes{6});
    REQUIRE(order.loops.size() == 2);
    CHECK(order.loops[0] == Nodes{0, 1});
    CHECK(order.loops[1] == Nodes{3, 4, 5});
}

TEST_CASE("a long chain neither recurses nor takes quadratic time") {
    constexpr std::uint32_t count = 200'000;
    std::vector<Nodes> needs(count);
    for (std::uint32_t node = 0; node + 1 < count; ++node) needs[node].push_back(node + 1);
    CHECK(sort(needs).nodes.front() == count - 1);
    needs[count - 1].push_back(0);
    const Order ring = sort(needs);
    REQUIRE(ring.loops.size() == 1);
    CHECK(ring.loops[0].size() == count);
}
