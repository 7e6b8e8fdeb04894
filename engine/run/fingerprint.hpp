// Whether anybody has changed the target's schema while a run was on (rules.md section 4): every object's
// definition, owner, grants and comment, and the database's own properties, each as a number. Rows, sequence
// values, statistics, temporary tables and schema pgsluice are no part of it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "flow/task.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

struct Fingerprint {
    std::map<std::string, std::uint64_t> objects; // by display name
    // All of it in one word, for a run that waits for its swap. Depends on this program's version.
    std::string text() const;
};

Fingerprint fingerprint_of(const model::Database& target);
// Reads the catalogs, in the caller's transaction where there is one, waiting at most `lock_timeout` for a
// definition that somebody is changing.
flow::Task<Fingerprint> read_fingerprint(pq::Connection& session, std::chrono::milliseconds lock_timeout);
// Something short that differs after any DDL, and after some things that are none: milliseconds.
flow::Task<std::string> catalog_mark(pq::Connection& session);
// Throws Error{refused} that names what differs.
void refuse_changed_schema(const Fingerprint& at_start, const Fingerprint& now);

} // namespace pgsluice::run
