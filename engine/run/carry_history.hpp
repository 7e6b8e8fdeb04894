// --drift=carry: the entries that only the target's migration history has go behind the source's (rules.md
// section 2).
#pragma once
#include <cstdint>
#include <vector>

#include "merge/migrations.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// Of every history for which the decision is to carry; `inside` is a session in the new database, with the
// source's rows there. Numbers them anew behind the last one where the tool numbers them. Returns how many
// were added.
Task<std::uint64_t> carry_histories(Context& context, pq::Connection& target, pq::Connection& inside,
                                    std::vector<merge::MigrationDifference> differences);

} // namespace pgsluice::run
