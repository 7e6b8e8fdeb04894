// A refresh of a pair whose target has rows of its own to keep, and what it could not keep.
#pragma once
#include "support/pair.hpp"

namespace pgsluice::tests {

// Catch2 checks that it ends with `exit_code`, leaves nothing behind, and did what plan had counted before.
ProgramResult refresh_as_planned(const Pair& pair, std::vector<std::string> more, int exit_code = 0);

// "table|reason|count\n" of pgsluice.rejected.
std::string rejected(const Pair& pair);

// "why object\n" of pgsluice.pending.
std::string pending(const Pair& pair);

} // namespace pgsluice::tests
