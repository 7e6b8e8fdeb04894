// Routines of the source that the target's role may not create, because only a superuser may (rules.md
// section 6): known before anything is made. Where only other routines need one, both are left out, with a
// remark; where anything else does, the run does not start.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/database.hpp"
#include "pq/connection.hpp"
#include "report/plan_report.hpp"

namespace pgsluice::run {

using flow::Task;

// Why not, of each.
using NotCreatable = std::map<model::NaturalKey, std::string>;
Task<NotCreatable> read_not_creatable(pq::Connection& target, const model::Database& source);

// What is not made, with the reason: of NotCreatable, and the routines that need one of them.
NotCreatable left_out(const NotCreatable& not_creatable, const model::Database& source);
// One for each that more than routines need.
std::vector<report::Refusal> needed_but_not_creatable(const NotCreatable& not_creatable,
                                                      const model::Database& source);

} // namespace pgsluice::run
