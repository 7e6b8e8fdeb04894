#include "support/all_kinds.hpp"

namespace pgsluice::tests {

DatabaseOptions all_kinds_options(TestCluster& cluster) {
    cluster.sql("\\ir " PGSLUICE_SOURCE_DIR "/tests/sql/all_kinds_roles.sql\n");
    DatabaseOptions options;
    options.owner = all_kinds_owner;
    return options;
}

void load_all_kinds(const TestDatabase& database) { database.sql_file("sql/all_kinds.sql"); }
void load_tiny(const TestDatabase& database) { database.sql_file("sql/tiny.sql"); }

} // namespace pgsluice::tests
