// What the writers of relations say in cases that a server shows rarely or never: other majors, loop repairs,
// and answers that no sane server gives.
#include "base/error.hpp"
#include "kinds/fake_row.hpp"
#include "kinds/registry.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;
using Catch::Matchers::Contains;

namespace {

const FakeRow
    a_table({{"oid", "100"}, {"schema", "s"}, {"name", "t"}, {"owner", "o"}, {"replica_identity", "d"}});
const FakeRow a_column(
    {{"relation", "100"}, {"name", "a"}, {"type", "integer"}, {"is_local", "t"}, {"not_null_valid", "t"}});
const FakeRow a_default({{"oid", "200"},
                         {"schema", "s"},
                         {"table", "t"},
                         {"name", "a"},
                         {"relation", "100"},
                         {"expression", "f()"}});
const FakeRow a_check({{"oid", "300"},
                       {"schema", "s"},
                       {"table", "t"},
                       {"name", "c"},
                       {"relation", "100"},
                       {"definition", "CHECK ((a > 0))"},
                       {"validated", "t"}});
const FakeRow a_key({{"oid", "400"},
                     {"schema", "s"},
                     {"table", "t"},
                     {"name", "k"},
                     {"relation", "100"},
                     {"type", "p"},
                     {"columns", "{a,\"b \\\"c\"}"},
                     {"included", "{d}"},
                     {"options", "{fillfactor=70}"},
                     {"index_definition", "CREATE UNIQUE INDEX k ON s.t (a)"}});
const FakeRow a_foreign_key({{"oid", "500"},
                             {"schema", "s"},
                             {"table", "t"},
                             {"name", "fk"},
                             {"relation", "100"},
                             {"referenced", "101"},
                             {"definition", "FOREIGN KEY (a) REFERENCES s.r(a)"},
                             {"validated", "t"}});
const FakeRow
    a_view({{"oid", "100"}, {"schema", "s"}, {"name", "v"}, {"options", "{security_barrier=true}"}});
const FakeRow a_policy({{"oid", "600"},
                        {"schema", "s"},
                        {"table", "t"},
                        {"name", "p"},
                        {"permissive", "t"},
                        {"command", "*"},
                        {"using_expression", "true"}});
const FakeRow a_trigger({{"oid", "700"},
                         {"schema", "s"},
                         {"table", "t"},
                         {"name", "tg"},
                         {"definition", "CREATE TRIGGER tg"},
                         {"enabled", "O"}});

} // namespace

TEST_CASE("a default and a check stand in CREATE TABLE until a loop's repair takes them out") {
    Decoded made;
    made.row(kinds::table_kind, a_table);
    made.row(kinds::table_kind, a_column, 1);
    made.row(kinds::column_default_kind, a_default);
    made.row(kinds::check_kind, a_check);
    CHECK(made.ddl(kinds::table_kind).create == "CREATE TABLE \"s\".\"t\" (\n    \"a\" integer DEFAULT "
                                                "f(),\n    CONSTRAINT \"c\" CHECK ((a > 0))\n);");
    CHECK(made.ddl(kinds::column_default_kind).create.empty());
    CHECK(made.ddl(kinds::check_kind).create.empty());

    made.shape.separate = {{2604, 200}, {2606, 300}};
    CHECK(made.ddl(kinds::table_kind).create == "CREATE TABLE \"s\".\"t\" (\n    \"a\" integer\n);");
    CHECK(made.ddl(kinds::column_default_kind).create ==
          "ALTER TABLE ONLY \"s\".\"t\" ALTER COLUMN \"a\" SET DEFAULT f();");
    CHECK(made.ddl(kinds::check_kind).create ==
          "ALTER TABLE \"s\".\"t\" ADD CONSTRAINT \"c\" CHECK ((a > 0));");
}

TEST_CASE("a NOT VALID check is never inside CREATE TABLE and never validated") {
    Decoded made;
    made.row(kinds::table_kind, a_table);
    made.row(kinds::check_kind, a_check.with("validated", "f").with("definition", "CHECK (x) NOT VALID"));
    CHECK_THAT(made.ddl(kinds::table_kind).create, !Contains("CHECK"));
    CHECK_THAT(made.ddl(kinds::check_kind).create, Contains("CHECK (x) NOT VALID;"));
    CHECK(made.ddl(kinds::check_kind).validate.empty());
}

TEST_CASE("a child's dropped default is said, or it would inherit the parent's") {
    const FakeRow dropped = a_column.with("inherits_default", "t");
    Decoded local;
    local.row(kinds::table_kind, a_table.with("parents", "{s,p}"));
    local.row(kinds::table_kind, dropped, 1);
    CHECK_THAT(local.ddl(kinds::table_kind).create,
               Contains("\"a\" integer DEFAULT NULL") && Contains("INHERITS (\"s\".\"p\")"));
    Decoded inherited;
    inherited.row(kinds::table_kind, a_table.with("parents", "{s,p}"));
    inherited.row(kinds::table_kind, dropped.with("is_local", "f"), 1);
    CHECK_THAT(inherited.ddl(kinds::table_kind).create,
               Contains("(\n)\nINHERITS") && Contains("ALTER COLUMN \"a\" SET DEFAULT NULL;"));
}

TEST_CASE("a partition is created alone, with inherited columns too, and attached") {
    Decoded made;
    made.row(kinds::table_kind,
             a_table.with("parents", "{\"S 2\",\"p\\\"q\"}").with("partition_bound", "DEFAULT"));
    made.row(kinds::table_kind,
             a_column.with("is_local", "f").with("not_null", "t").with("inherits_not_null", "t"), 1);
    const kinds::Ddl ddl = made.ddl(kinds::table_kind);
    CHECK(ddl.create == "CREATE TABLE \"s\".\"t\" (\n    \"a\" integer NOT NULL\n);");
    CHECK(ddl.attach == "ALTER TABLE ONLY \"S 2\".\"p\"\"q\" ATTACH PARTITION \"s\".\"t\" DEFAULT;");
}

TEST_CASE("18 knows named, invalid and uninheritable NOT NULLs") {
    Decoded made;
    made.row(kinds::table_kind, a_table);
    made.row(kinds::table_kind,
             a_column.with("not_null", "t").with("not_null_name", "n\"1").with("not_null_no_inherit", "t"),
             1);
    made.row(kinds::table_kind, a_column.with("name", "b").with("not_null", "t").with("not_null_valid", "f"),
             1);
    const kinds::Ddl ddl = made.ddl(kinds::table_kind);
    CHECK_THAT(ddl.create, Contains("\"a\" integer CONSTRAINT \"n\"\"1\" NOT NULL NO INHERIT,"));
    CHECK_THAT(ddl.create, Contains("\"b\" integer\n"));
    CHECK(ddl.after_rows == "ALTER TABLE \"s\".\"t\" ADD NOT NULL \"b\" NOT VALID;");
}

TEST_CASE("18 takes no unlogged partitioned table, older servers keep the word") {
    Decoded made;
    made.row(kinds::table_kind, a_table.with("unlogged", "t").with("partition_key", "RANGE (a)"));
    CHECK_THAT(made.ddl(kinds::table_kind).create, Contains("CREATE UNLOGGED TABLE"));
    made.target_version = 180000;
    CHECK_THAT(made.ddl(kinds::table_kind).create, !Contains("UNLOGGED"));
}

TEST_CASE("row security is switched on after the rows: forced, it refuses COPY") {
    Decoded made;
    made.row(kinds::table_kind, a_table.with("row_security", "t").with("force_row_security", "t"));
    const kinds::Ddl ddl = made.ddl(kinds::table_kind);
    CHECK_THAT(ddl.create, !Contains("SECURITY"));
    CHECK(ddl.after_rows == "ALTER TABLE \"s\".\"t\" ENABLE ROW LEVEL SECURITY;\n"
                            "ALTER TABLE ONLY \"s\".\"t\" FORCE ROW LEVEL SECURITY;");
}

TEST_CASE("a key adopts an index built before it, but on a partitioned table or without overlaps it cannot") {
    Decoded plain;
    plain.row(kinds::constraint_kind, a_key.with("deferrable", "t").with("deferred", "t"));
    CHECK(plain.ddl(kinds::constraint_kind).build_index == "CREATE UNIQUE INDEX k ON s.t (a);");
    CHECK(plain.ddl(kinds::constraint_kind).create ==
          "ALTER TABLE ONLY \"s\".\"t\" ADD CONSTRAINT \"k\" PRIMARY KEY USING INDEX \"k\""
          " DEFERRABLE INITIALLY DEFERRED;");
    Decoded partitioned;
    partitioned.row(kinds::constraint_kind,
                    a_key.with("partitioned", "t").with("type", "u").with("nulls_not_distinct", "t"));
    CHECK(partitioned.ddl(kinds::constraint_kind).build_index.empty());
    CHECK(partitioned.ddl(kinds::constraint_kind).create ==
          "ALTER TABLE ONLY \"s\".\"t\" ADD CONSTRAINT \"k\" UNIQUE NULLS NOT DISTINCT (\"a\", \"b \"\"c\")"
          " INCLUDE (\"d\") WITH (\"fillfactor\"='70');");
    Decoded period;
    period.row(kinds::constraint_kind, a_key.with("without_overlaps", "t"));
    CHECK(period.ddl(kinds::constraint_kind).build_index.empty());
    CHECK_THAT(period.ddl(kinds::constraint_kind).create, Contains("(\"a\", \"b \"\"c\" WITHOUT OVERLAPS)"));
}

TEST_CASE("a partition's key is attached to its parent's and cannot be dropped without it") {
    Decoded made;
    made.row(kinds::constraint_kind, a_key.with("parent_schema", "s")
                                         .with("parent_name", "pk")
                                         .with("parent_constraint", "{399}")
                                         .with("parent_index", "{398}"));
    CHECK(made.ddl(kinds::constraint_kind).attach ==
          "ALTER INDEX \"s\".\"pk\" ATTACH PARTITION \"s\".\"k\";");
    CHECK(made.ddl(kinds::constraint_kind).drop.empty());
    std::vector<model::Dependency> edges;
    kinds::constraint_kind.edges(made.object(kinds::constraint_kind), made.database, edges);
    CHECK(edges == std::vector{model::Dependency{{2606, 400}, {2606, 399}, 'n'}});
}

TEST_CASE("a foreign key is validated apart, one that is NOT VALID never, a partitioned table's adopts") {
    Decoded valid;
    valid.row(kinds::foreign_key_kind, a_foreign_key);
    CHECK_THAT(valid.ddl(kinds::foreign_key_kind).create, Contains("REFERENCES s.r(a) NOT VALID;"));
    CHECK(valid.ddl(kinds::foreign_key_kind).validate ==
          "ALTER TABLE ONLY \"s\".\"t\" VALIDATE CONSTRAINT \"fk\";");
    Decoded broken;
    broken.row(kinds::foreign_key_kind,
               a_foreign_key.with("validated", "f").with("definition", "FOREIGN KEY (a) ... NOT VALID"));
    CHECK(broken.ddl(kinds::foreign_key_kind).validate.empty());
    broken.database.objects.back().extra = true;
    CHECK_THAT(broken.ddl(kinds::foreign_key_kind).create, Contains("FOREIGN KEY (a) ... NOT VALID;"));
    CHECK(broken.ddl(kinds::foreign_key_kind).validate.empty());
    Decoded partitioned;
    partitioned.row(kinds::foreign_key_kind, a_foreign_key.with("partitioned", "t"));
    CHECK(partitioned.ddl(kinds::foreign_key_kind).create ==
          "ALTER TABLE \"s\".\"t\" ADD CONSTRAINT \"fk\" FOREIGN KEY (a) REFERENCES s.r(a);");
    CHECK(partitioned.ddl(kinds::foreign_key_kind).validate.empty());
    Decoded leaf;
    leaf.row(kinds::foreign_key_kind, a_foreign_key.with("adopter", "{499}"), 1);
    CHECK(leaf.ddl(kinds::foreign_key_kind).drop.empty());
    CHECK_FALSE(leaf.ddl(kinds::foreign_key_kind).validate.empty());
}

TEST_CASE("a view in a loop has a stand-in with its columns, and is replaced") {
    Decoded made;
    made.row(kinds::view_kind, a_view.with("check_option", "LOCAL"));
    made.row(kinds::view_kind,
             a_column.with("name", "a\"b").with("collation_schema", "pg_catalog").with("collation", "C"), 1);
    made.row(kinds::view_kind,
             FakeRow(std::map<std::string, std::string>{{"oid", "100"}, {"definition", " SELECT 1;"}}), 2);
    CHECK(made.ddl(kinds::view_kind).create == "CREATE VIEW \"s\".\"v\" WITH (\"security_barrier\"='true') "
                                               "AS\n SELECT 1\n  WITH LOCAL CHECK OPTION;");
    CHECK(made.ddl(kinds::view_kind).dummy.empty());
    made.shape.dummy = {{1259, 100}};
    CHECK_THAT(made.ddl(kinds::view_kind).create, Catch::Matchers::StartsWith("CREATE OR REPLACE VIEW"));
    CHECK(
        made.ddl(kinds::view_kind).dummy ==
        "CREATE VIEW \"s\".\"v\" AS\nSELECT\n    NULL::integer COLLATE \"pg_catalog\".\"C\" AS \"a\"\"b\";");
}

TEST_CASE("a clone of a trigger only sets its state") {
    Decoded made;
    made.row(kinds::trigger_kind, a_trigger.with("clone", "t").with("enabled", "A"));
    CHECK(made.ddl(kinds::trigger_kind).create.empty());
    CHECK(made.ddl(kinds::trigger_kind).drop.empty());
    CHECK(made.ddl(kinds::trigger_kind).after_rows ==
          "ALTER TABLE \"s\".\"t\" ENABLE ALWAYS TRIGGER \"tg\";");
}

TEST_CASE("a policy whose roles are not named must not become everybody's") {
    Decoded made;
    CHECK_THROWS_AS(made.row(kinds::policy_kind, a_policy.with("roles", "{}").with("everybody", "f")), Error);
    made.row(kinds::policy_kind, a_policy.with("roles", "{public,\"a \\\"b\"}"));
    CHECK(made.ddl(kinds::policy_kind).create ==
          "CREATE POLICY \"p\" ON \"s\".\"t\" TO \"public\", \"a \"\"b\" USING (true);");
}

TEST_CASE("answers of no sane server are refused") {
    Decoded made;
    made.row(kinds::table_kind, a_table);
    CHECK_THROWS_AS(made.row(kinds::table_kind, a_table.with("oid", "101").with("parents", "{s}")), Error);
    CHECK_THROWS_AS(made.row(kinds::constraint_kind, a_key.with("parent_index", "{1; drop}")), Error);
    made.row(kinds::table_kind, a_column.with("storage", "!"), 1);
    CHECK_THROWS_AS(made.ddl(kinds::table_kind), Error);
    Decoded optioned;
    optioned.row(kinds::table_kind, a_table.with("options", "{fillfactor}"));
    CHECK_THROWS_AS(optioned.ddl(kinds::table_kind), Error);
    Decoded view;
    view.row(kinds::view_kind, a_view);
    CHECK_THROWS_AS(
        view.row(kinds::view_kind, FakeRow(std::map<std::string, std::string>{{"oid", "100"}}), 2), Error);
    Decoded trigger;
    trigger.row(kinds::trigger_kind, a_trigger.with("enabled", "x"));
    CHECK_THROWS_AS(trigger.ddl(kinds::trigger_kind), Error);
}
