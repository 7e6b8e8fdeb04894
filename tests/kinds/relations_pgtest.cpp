// Tables, views, constraints, triggers and all else that hangs on relations: what is read, ordered by graph/
// and run in an empty database, rows included, must be the same to stock pg_dump, byte for byte.
#include "graph/graph.hpp"
#include "support/catalog.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/program.hpp"
#include "support/session.hpp"

#include <sstream>

#include "kinds/descriptor.hpp"
#include "pq/quote.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

TestCluster& cluster_with_roles() {
    TestCluster& cluster = TestCluster::shared();
    for (const char* role : {"r2", "r \"o", "public x"}) cluster.role(role, "");
    return cluster;
}

void copy_rows(const model::TableRows& rows, const TestDatabase& source, const TestDatabase& target) {
    if (rows.bytes == 0) return;
    std::string table = pq::quote_qualified(rows.schema, rows.name);
    if (!rows.columns.empty()) table += " (" + pq::quote_identifiers(rows.columns) + ")";
    // As superuser: forced row security would leave rows out.
    ProgramOptions input;
    input.input =
        output_of({"psql", "-qXd", source.superuser_conninfo(), "-c", "copy " + table + " to stdout"});
    output_of(
        {"psql", "-qXd", target.conninfo(), "-v", "ON_ERROR_STOP=1", "-c", "copy " + table + " from stdin"},
        input);
}

void build(const model::Database& database, const TestDatabase& source, const TestDatabase& target) {
    graph::Options options;
    options.target_version = database.server_version;
    options.connecting_role = target.owner();
    const graph::Graph graph = graph::build(database, options);
    CHECK(graph.warnings.empty());
    Session session(target.conninfo());
    session.sql("set search_path = ''; set check_function_bodies = off");
    for (const graph::Entry& entry : graph.entries) {
        INFO(entry.name << "\n" << entry.sql);
        try {
            if (entry.part == graph::Part::rows)
                copy_rows(*database.rows_of(entry.object), source, target);
            else if (!entry.sql.empty())
                session.sql(entry.sql);
        } catch (const std::exception& error) {
            FAIL_CHECK(error.what());
        }
    }
}

// The whole text; newer minor releases put a random key into \restrict.
std::string schema_dump(const TestDatabase& database) {
    std::istringstream text(output_of({"pg_dump", "-s", "-d", database.superuser_conninfo()}));
    std::string dump, line;
    while (std::getline(text, line))
        if (!line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ")) dump += line + "\n";
    return dump;
}

void expect_same_after_the_trip(const std::string& file) {
    TestCluster& cluster = cluster_with_roles();
    const TestDatabase source(cluster);
    source.sql_file(file);
    const TestDatabase target(cluster);
    const model::Database database = read_catalog(source.conninfo());
    REQUIRE(database.unsupported.empty());
    build(database, source, target);
    expect_equal_databases(source, target);
    CHECK(schema_dump(source) == schema_dump(target));

    // A second reading must find the same definitions: drift and verification compare these texts.
    const model::Database copy = read_catalog(target.conninfo());
    REQUIRE(copy.objects.size() == database.objects.size());
    for (std::size_t i = 0; i < copy.objects.size(); ++i)
        CHECK(kinds::definition(copy.objects[i], copy, copy.server_version) ==
              kinds::definition(database.objects[i], database, database.server_version));
}

} // namespace

TEST_CASE("tables, keys, indexes and partitions are the same to stock pg_dump after a trip", "[server]") {
    expect_same_after_the_trip("kinds/tables.sql");
}

TEST_CASE("views, triggers, rules, policies and loops are the same to stock pg_dump after a trip",
          "[server]") {
    expect_same_after_the_trip("kinds/dependents.sql");
}

// VALIDATE and adoption must leave the marks in pg_constraint that a key made at once leaves.
TEST_CASE("a partitioned table's key is as valid as the source's, down to every partition", "[server]") {
    TestCluster& cluster = cluster_with_roles();
    const TestDatabase source(cluster);
    source.sql_file("kinds/tables.sql");
    const TestDatabase target(cluster);
    build(read_catalog(source.conninfo()), source, target);
    const std::string facts =
        "select c.conrelid::regclass, c.confrelid::regclass, c.convalidated, c.conislocal, c.coninhcount,"
        " p.conrelid::regclass from pg_constraint c left join pg_constraint p on p.oid = c.conparentid"
        " where c.contype = 'f' order by c.conrelid::regclass::text, c.confrelid::regclass::text, 3, 5, 6";
    CHECK(source.rows(facts).size() > 10);
    CHECK(source.rows(facts) == target.rows(facts));
}
