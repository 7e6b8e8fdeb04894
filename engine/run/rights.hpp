// Every right that a refresh needs on both sides, asked before anything is written (rules.md section 6).
// `check` prints the items; refresh stops at the first that is missing.
#pragma once
#include "model/database.hpp"
#include "pq/connection.hpp"
#include "report/check_report.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

Task<report::ServerFacts> read_server_facts(pq::Connection& session);

// Reads only. `source` and `target` are sessions in the two databases; `maintenance` one in another database
// of the target's server, null when none could be opened (then that is an item).
Task<report::CheckReport> check_rights(Context& context, pq::Connection& source, pq::Connection& target,
                                       pq::Connection* maintenance);
// Throws Error{refused} for the first missing right, with the command that grants it; further ones in the
// detail.
void refuse_missing_rights(const report::CheckReport& report);

// One line for each right that is missing and that a run may do without.
std::vector<std::string> done_without(const report::CheckReport& report);

} // namespace pgsluice::run
