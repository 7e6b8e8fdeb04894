// Schemas, extensions, types, routines, sequences, default ACLs: what is read, written as DDL and run in an
// empty database must be the same to stock pg_dump. Names in types.sql hold quotes, newlines, reserved words.
#include "kinds/descriptor.hpp"
#include "support/catalog.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

TestCluster& cluster_with_roles() {
    TestCluster& cluster = TestCluster::shared();
    for (const char* role : {"reader", "Odd \"Writer", "granter"}) cluster.role(role, "");
    return cluster;
}

} // namespace

TEST_CASE("types, routines and sequences are the same to stock pg_dump after a trip through the kinds",
          "[server]") {
    TestCluster& cluster = cluster_with_roles();
    const TestDatabase source(cluster);
    source.sql_file("kinds/types.sql");
    const TestDatabase target(cluster);
    const model::Database database = read_catalog(source.conninfo());
    std::string unsupported;
    for (const model::Unsupported& object : database.unsupported)
        unsupported += object.kind + " " + object.name + "\n";
    CHECK(unsupported.empty());
    make_again(database, target.conninfo(), target.owner());
    expect_equal_databases(source, target);

    // A second reading must find the same definitions: drift and verification compare these texts.
    const model::Database copy = read_catalog(target.conninfo());
    REQUIRE(copy.objects.size() == database.objects.size());
    for (std::size_t i = 0; i < copy.objects.size(); ++i) {
        const int version = database.server_version;
        CHECK(kinds::definition(copy.objects[i], copy, version) ==
              kinds::definition(database.objects[i], database, version));
        CHECK(copy.objects[i].comment == database.objects[i].comment);
    }
}

TEST_CASE("leakproof, window and C functions and grants by a third role come over as a superuser",
          "[server]") {
    TestCluster& cluster = cluster_with_roles();
    const TestDatabase source(cluster);
    source.superuser_sql(R"(
        create function safe(int) returns int language sql leakproof as 'select 1';
        create function my_rank() returns bigint language internal window as 'window_rank';
        create function c_function(text) returns int language c strict as '$libdir/citext', 'citext_hash';
        create function helped(int, int) returns setof int language internal support generate_series_int4_support
            as 'generate_series_int4';
        create type base_range as range (subtype = int4);
        create sequence s; grant select on sequence s to reader with grant option;
        set role reader; grant select on sequence s to granter; reset role;
        create schema owned_by_reader authorization reader;
        alter function safe(int) owner to reader;)");
    const TestDatabase target(cluster);
    const model::Database database = read_catalog(source.superuser_conninfo());
    make_again(database, target.superuser_conninfo(), cluster.superuser());
    CHECK(first_difference(stock_dump(source.superuser_conninfo()), stock_dump(target.superuser_conninfo()))
              .empty());
}
