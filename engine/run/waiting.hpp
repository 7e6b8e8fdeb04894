// A run that has built its database and waits for the command swap (rules.md section 2, refresh --no-swap):
// its line in pgsluice.run says so. Its database is no leftover: cleanup and refresh --discard-waiting drop
// it, and nothing else.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model/object.hpp"
#include "pq/connection.hpp"
#include "report/waiting_report.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

constexpr std::string_view waiting_state = "waiting";
constexpr std::string_view merging_state = "merging"; // swap has begun to write into the waiting database

struct WaitingRun {
    std::string run_id, source, database, since;
    bool half_merged = false;    // a swap has failed in the middle: it can only be dropped
    model::Oid oid = 0;          // of the database; 0: it is gone
    std::string waiting, tables; // JSON of report::WaitingReport and of the report's tables
};
// Those whose lines say that they wait, with their databases, newest first.
Task<std::vector<WaitingRun>> find_waiting(pq::Connection& maintenance, pq::Connection& target,
                                           std::string target_database);

// Beside a waiting database there is no refresh, unless --discard-waiting. Changes nothing.
Task<void> refuse_waiting(Context& context, pq::Connection& maintenance, pq::Connection& target);
// Drops what waits, and says so in its line. Returns the names.
Task<std::vector<std::string>> discard_waiting(Context& context, pq::Connection& maintenance,
                                               pq::Connection& target);

// The options that count later; and back, where the ones of now are not set.
std::map<std::string, std::vector<std::string>> waiting_options(const RefreshOptions& options);
void apply_waiting_options(const std::map<std::string, std::vector<std::string>>& words,
                           RefreshOptions& options);

} // namespace pgsluice::run
