// The database that a run builds beside the target, and what becomes of it and of _previous. Every name here
// is the target's or derived from it by this run; nothing else is ever created, renamed or dropped.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model/database.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

struct DatabaseFacts {
    model::Oid oid = 0;
    std::string owner;
};
Task<std::optional<DatabaseFacts>> find_database(pq::Connection& maintenance, std::string name);

// CREATE DATABASE with the target's encoding, locale and owner, from template0 or --template.
Task<model::Oid> create_beside(pq::Connection& maintenance, Context& context,
                               const model::DatabaseProperties& target, std::string name);
// Ends our own role's sessions with our application_name in it first (a killed client's backend lives on),
// disables and drops nothing else. No IF EXISTS: a missing database is an error of ours.
// `at_once`: whoever is in it is ended from the first attempt on (the server waits 5 s for them else).
Task<void> drop_database(pq::Connection& maintenance, std::string name, model::Oid expected_oid,
                         bool at_once = false);
// What an earlier run left: databases named in pgsluice.run of the target and owned by our role, nothing
// else; those that wait for their swap are none.
struct Leftover {
    std::string name, run_id;
    model::Oid oid = 0;
    std::uint64_t bytes = 0;
};
Task<std::vector<Leftover>> find_leftovers(pq::Connection& maintenance, pq::Connection& target,
                                           Context& context);
Task<void> drop_leftovers(pq::Connection& maintenance, pq::Connection& target, Context& context);
Task<std::uint64_t> database_bytes(pq::Connection& maintenance, std::string name); // 0: no such database
// rules.md section 4: drops <target>_previous if its oid is the recorded one; any other database of that name
// is Error{refused}. Returns whether there was one. `only_check` drops nothing.
Task<bool> drop_previous(pq::Connection& maintenance, pq::Connection& target, Context& context,
                         bool only_check);

} // namespace pgsluice::run
