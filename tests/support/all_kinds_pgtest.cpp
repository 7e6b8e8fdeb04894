// The sets of tests/sql are worth something only if they load as a plain owner and if stock's own round
// trip of them is equal: then a difference after a refresh is ours.
#include "support/all_kinds.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/program.hpp"

using namespace pgsluice::tests;

TEST_CASE("stock programs carry the database of all kinds, and the oracle finds it equal", "[support][sql]") {
    TestCluster& cluster = TestCluster::shared();
    const DatabaseOptions options = all_kinds_options(cluster);
    const TestDatabase source{cluster, options}, target{cluster, options};
    load_all_kinds(source);
    // As superuser: stock gives an object to its owner before that owner may create in its schema.
    ProgramOptions dump;
    dump.input = output_of({"pg_dump", "-d", source.superuser_conninfo()});
    output_of({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target.superuser_conninfo()}, dump);
    expect_equal_databases(source, target);
    // Nothing fired while rows were loaded.
    CHECK(source.value("select count(*) from public.traces where what like 'row %'") == "0");
}

TEST_CASE("the tiny database is tiny", "[support][sql]") {
    const TestDatabase database;
    load_tiny(database);
    CHECK(database.value("select pg_database_size(current_database()) < 5 * 1024 * 1024 + "
                         "pg_database_size('template1')") == "t");
    CHECK(database.value("select count(*) from pg_tables where schemaname = 'public'") == "20");
    CHECK(database.value("select count(*) from pg_constraint where contype = 'f'") == "20");
}
