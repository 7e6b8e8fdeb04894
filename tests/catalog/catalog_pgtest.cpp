// What catalog::read promises beyond the kinds' own DDL: edges lifted to our objects, facts of tables with
// rows, sequence values, what cannot be carried, and a number of queries that does not grow.
#include <algorithm>

#include "base/error.hpp"
#include "support/catalog.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;
using model::Kind;

namespace {

const model::Object& object(const model::Database& database, Kind kind, const std::string& name) {
    for (const model::Object& candidate : database.objects)
        if (candidate.kind == kind && candidate.name == name) return candidate;
    throw std::runtime_error("no object " + name);
}

bool needs(const model::Database& database, const model::Object& who, const model::Object& what) {
    return std::any_of(
        database.dependencies.begin(), database.dependencies.end(),
        [&](const model::Dependency& edge) { return edge.who == who.id && edge.needs == what.id; });
}

const model::TableRows& rows_of(const model::Database& database, const std::string& name) {
    for (const model::TableRows& rows : database.rows)
        if (rows.name == name) return rows;
    throw std::runtime_error("no rows of " + name);
}

std::size_t statements_in(const std::string& log) {
    std::size_t count = 0;
    for (std::size_t at = log.find("statement: "); at != std::string::npos;
         at = log.find("statement: ", at + 1))
        ++count;
    return count;
}

} // namespace

TEST_CASE("edges of rules, rowtypes, arrays, keys and extension members lead to objects of ours",
          "[server]") {
    DatabaseOptions options;
    options.sql = R"(
        create extension citext;
        create table t (id int primary key, name citext, list int generated always as (1) stored);
        create view v as select id from t;
        create type c as (a t, b t[]);
        create table child (t_id int references t);
        create function f(v[]) returns int language sql as 'select 1';
        comment on index t_pkey is 'on the index'; comment on column c.a is 'attribute';)";
    const TestDatabase source(TestCluster::shared(), options);
    const model::Database database = read_catalog(source.conninfo());
    const auto& table = object(database, Kind::table, "t");
    CHECK(needs(database, object(database, Kind::view, "v"), table));
    CHECK(needs(database, object(database, Kind::composite_type, "c"), table));
    CHECK(needs(database, object(database, Kind::function, "f"), object(database, Kind::view, "v")));
    CHECK(needs(database, table, object(database, Kind::extension, "citext")));
    CHECK(needs(database, object(database, Kind::foreign_key, "child_t_id_fkey"),
                object(database, Kind::constraint, "t_pkey")));
    CHECK(object(database, Kind::constraint, "t_pkey").details.at("index_comment") == "on the index");
    CHECK(object(database, Kind::composite_type, "c").column_comments.at("a") == "attribute");
    for (const model::Dependency& edge : database.dependencies) CHECK(edge.who != edge.needs);
}

TEST_CASE("tables with rows say what COPY must know", "[server]") {
    DatabaseOptions options;
    options.sql = R"(
        create type mood as enum ('a', 'b'); create domain d as mood;
        create table safe (a int, gone int, b text, c d, e timestamptz[], g int generated always as (a + 1) stored);
        alter table safe drop column gone;
        create table by_name (a regclass); create table composite (a safe); create table enum_list (a mood[]);
        create unlogged table u (a int);
        create table parted (m mood) partition by hash (m);
        create table part partition of parted for values with (modulus 1, remainder 0);)";
    const TestDatabase source(TestCluster::shared(), options);
    const model::Database database = read_catalog(source.conninfo());
    CHECK(rows_of(database, "safe").columns == std::vector<std::string>{"a", "b", "c", "e"});
    CHECK(rows_of(database, "safe").binary_safe);
    CHECK_FALSE(rows_of(database, "by_name").binary_safe);
    CHECK_FALSE(rows_of(database, "composite").binary_safe);
    CHECK_FALSE(rows_of(database, "enum_list").binary_safe);
    CHECK(rows_of(database, "u").unlogged);
    CHECK(rows_of(database, "part").partition_root_load);
    CHECK_FALSE(rows_of(database, "safe").partition_root_load);
    CHECK_FALSE(rows_of(database, "safe").class_xmin.empty());
    CHECK_THROWS(rows_of(database, "parted"));
}

TEST_CASE("a sequence that may not be read is an error with the GRANT that helps", "[server]") {
    const TestDatabase source;
    source.superuser_sql("create schema s; create sequence s.q; grant usage on schema s to app");
    try {
        read_catalog(source.conninfo());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::source);
        CHECK(error.object() == "sequence s.q");
        CHECK(error.hint().find("GRANT SELECT ON SEQUENCE \"s\".\"q\" TO \"app\"") != std::string::npos);
    }
}

TEST_CASE("what no kind carries is named", "[server]") {
    const TestDatabase source;
    source.superuser_sql(R"(
        create cast (text as int) with inout; create publication pub;
        create foreign data wrapper w; create server srv foreign data wrapper w; create foreign table ft (a int) server srv;
        create user mapping for public server srv; create text search configuration cfg (copy = simple);
        create operator family fam using btree; select lo_create(0);
        create function on_ddl() returns event_trigger language plpgsql as 'begin end';
        create event trigger et on ddl_command_end execute function on_ddl();)");
    const model::Database database = read_catalog(source.superuser_conninfo());
    std::vector<std::string> names;
    for (const model::Unsupported& one : database.unsupported)
        names.push_back(one.kind + " " + one.name + (one.wire ? " (wire)" : ""));
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{
                       "cast text as integer", "event trigger et (wire)", "foreign server srv",
                       "foreign table public.ft", "foreign-data wrapper w", "large object 1 of them",
                       "operator family public.fam using btree", "publication pub",
                       "text search configuration public.cfg", "user mapping public on srv (wire)"});
}

TEST_CASE("the number of queries is the same for 10 and for 900 objects", "[server]") {
    ClusterOptions options;
    options.settings = {"log_statement=all"};
    TestCluster cluster(options);
    const auto statements_for = [&](int count) {
        DatabaseOptions of_count;
        of_count.sql = "do $$ begin for i in 1.." + std::to_string(count) +
                       " loop execute format('create table t%s (id serial primary key); create view v%s as "
                       "select 1 as a',"
                       " i, i); end loop; end $$";
        const TestDatabase source(cluster, of_count);
        const std::size_t before = statements_in(cluster.log());
        read_catalog(source.conninfo());
        return statements_in(cluster.log()) - before;
    };
    CHECK(statements_for(10) == statements_for(900));
}

TEST_CASE("the catalogs read the same in short transactions on an exported snapshot", "[server]") {
    DatabaseOptions options;
    options.sql =
        "create table t (id serial primary key); create view v as select * from t; comment on view v is 'v'";
    const TestDatabase source(TestCluster::shared(), options);
    const model::Database whole = read_catalog(source.conninfo());
    const model::Database by_snapshot = read_catalog(source.conninfo(), true);
    CHECK(whole.objects.size() == by_snapshot.objects.size());
    CHECK(whole.dependencies == by_snapshot.dependencies);
    CHECK(whole.sequence_values.size() == 1);
    CHECK(by_snapshot.properties.owner == source.owner());
    CHECK_FALSE(by_snapshot.system_identifier.empty());
}
