// Fills the new database: from both catalogs to a loaded, verified database that only has to be swapped in.
#pragma once
#include <string>

#include "model/database.hpp"
#include "run/context.hpp"
#include "run/reading.hpp"
#include "run/source.hpp"

namespace pgsluice::run {

// Reads both, matches them, and refuses what this version cannot carry: unsupported kinds, extras without
// --extras=drop. Emits notes. Changes nothing.
Task<Catalogs> read_catalogs(Context& context, Source& source, pq::Connection& target);

// Makes the task graph and performs it over a session in the new database, `inside`, and lanes of its own;
// the source is released on the way.
Task<void> load(Context& context, Source& source, const Catalogs& catalogs, pq::Connection& inside,
                int lanes);

// rules.md section 9: a fresh reading of the new database against what was planned. Differing owners and
// grants that were remarked already stay remarks; anything else throws Error{verification} naming the object.
Task<void> verify_catalog(Context& context, const model::Database& planned, pq::Connection& session);

} // namespace pgsluice::run
