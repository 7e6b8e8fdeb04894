// The hostile database of tests/sql/all_kinds.sql: every kind of object, under names and with rows that
// break careless code.
#pragma once
#include "support/database.hpp"

#include <string>

namespace pgsluice::tests {

// Its owner: CREATEDB and BYPASSRLS, no superuser; member of the other roles that own things in it.
inline const std::string all_kinds_owner = "all kinds owner";

// An empty database of that owner, to be a target; the roles are made first.
DatabaseOptions all_kinds_options(TestCluster& cluster);

// Fills a database made with all_kinds_options().
void load_all_kinds(const TestDatabase& database);

// The small set for kill tests: below 5 MB, 20 tables, foreign keys.
void load_tiny(const TestDatabase& database);

} // namespace pgsluice::tests
