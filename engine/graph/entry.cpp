#include "graph/entry.hpp"

#include <array>

namespace pgsluice::graph {

std::string_view part_name(Part part) {
    static constexpr std::array<std::string_view, 13> names = {
        "dummy",    "create",  "attach", "owned by", "rows", "sequence value", "build index", "after rows",
        "validate", "analyze", "rights", "refresh",  "gate"};
    static_assert(names.size() == static_cast<std::size_t>(Part::gate) + 1);
    return names[static_cast<std::size_t>(part)];
}

} // namespace pgsluice::graph
