#include "plan/task.hpp"

#include <array>

namespace pgsluice::plan {

std::string_view task_kind_name(TaskKind kind) {
    static constexpr std::array<std::string_view, 7> names = {"ddl",     "copy",    "index", "validate",
                                                              "analyze", "refresh", "merge"};
    return names[static_cast<std::size_t>(kind)];
}

bool lock_conflicts(LockMode a, LockMode b) {
    // Row: a mode; bit n: conflicts with the mode of that number. Table 13.2 of the manual.
    static constexpr std::array<unsigned, 8> conflicts = {
        0b10000000, // access share
        0b11000000, // row share
        0b11110000, // row exclusive
        0b11111000, // share update exclusive
        0b11101100, // share
        0b11111100, // share row exclusive
        0b11111110, // exclusive
        0b11111111, // access exclusive
    };
    return (conflicts[static_cast<std::size_t>(a)] >> static_cast<unsigned>(b) & 1u) != 0;
}

} // namespace pgsluice::plan
