#include "graph/entry.hpp"

#include <array>

namespace pgsluice::graph {

std::string_view part_name(Part part) {
    static constexpr std::array<std::string_view, 15> names = {
        "dummy",    "create",         "add elements", "attach",  "owned by",
        "rows",     "sequence value", "build index",  "merge",   "after rows",
        "validate", "analyze",        "rights",       "refresh", "gate"};
    static_assert(names.size() == static_cast<std::size_t>(Part::gate) + 1);
    return names[static_cast<std::size_t>(part)];
}

} // namespace pgsluice::graph
