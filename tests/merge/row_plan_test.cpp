// Keys, references and columns of a merge of rows: rules.md section 3.
#include "support/catch.hpp"

#include "base/error.hpp"
#include "merge/row_plan.hpp"

using namespace pgsluice;
using namespace pgsluice::merge;
using Columns = std::vector<std::string>;

namespace {

model::ColumnFacts column(const std::string& name, const std::string& type, bool not_null = true) {
    model::ColumnFacts facts;
    facts.name = name;
    facts.type = type;
    facts.not_null = not_null;
    return facts;
}
model::ColumnFacts serial(const std::string& name) {
    model::ColumnFacts facts = column(name, "integer");
    facts.has_default = facts.from_sequence = true;
    return facts;
}

struct World {
    model::Database source, target;

    void add(model::Database& into, const model::TableFacts& facts, bool extra = false) {
        into.table_facts.push_back(facts);
        model::Object object;
        object.kind = model::Kind::table;
        object.id = {1259, 16384 + into.objects.size()};
        object.schema = facts.schema;
        object.name = facts.name;
        object.extra = extra;
        into.objects.push_back(object);
        into.index();
    }
    void shared(const model::TableFacts& facts) {
        add(source, facts);
        add(target, facts);
    }
};

model::TableFacts table(const std::string& name, std::vector<model::ColumnFacts> columns,
                        std::vector<model::KeyFacts> keys,
                        std::vector<model::ReferenceFacts> references = {}) {
    model::TableFacts facts;
    facts.schema = "public";
    facts.name = name;
    facts.columns = std::move(columns);
    facts.keys = std::move(keys);
    facts.references = std::move(references);
    return facts;
}

model::TableFacts users() {
    return table(
        "users", {serial("id"), column("name", "text"), column("email", "text", false)},
        {{"users_pkey", {"id"}, true}, {"users_name", {"name"}, false}, {"users_email", {"email"}, false}});
}
model::TableFacts roles() {
    return table("roles", {column("id", "uuid"), column("user_id", "integer"), column("role", "text")},
                 {{"roles_pkey", {"id"}, true}}, {{"fk", "public", "users", {"user_id"}, {"id"}}});
}

RowOptions preserve(Columns tables, Columns references = {}) {
    RowOptions options;
    options.preserve = std::move(tables);
    options.references = std::move(references);
    return options;
}

} // namespace

TEST_CASE("natural keys: named, unique and never null, else the primary key; uuid always", "[rows]") {
    World world;
    world.shared(users());
    world.shared(roles());
    RowPlan plan = plan_rows(world.source, world.target, preserve({"users", "public.roles"}));
    REQUIRE(plan.tables.size() == 2);
    const MergeTable& user = *plan.table({"public", "users"});
    CHECK(user.natural_keys == std::vector<Columns>{{"name"}});
    CHECK(user.generated_key);
    CHECK(user.duplicates_by.empty());
    const MergeTable& role = *plan.table({"public", "roles"});
    CHECK(role.natural_keys == std::vector<Columns>{{"id"}});
    CHECK(role.duplicates_by == Columns{"user_id", "role"});
    CHECK(plan.tables[0].name.name == "users");
    REQUIRE(plan.references.size() == 1);
    CHECK(plan.references[0].null_columns.empty());

    plan = plan_rows(world.source, world.target, preserve({"roles=user_id,role", "users=email"}));
    CHECK(plan.table({"public", "roles"})->natural_keys == std::vector<Columns>{{"user_id", "role"}, {"id"}});
    CHECK(plan.table({"public", "users"})->natural_keys == std::vector<Columns>{{"email"}});
}

TEST_CASE("a table that is referred to and not preserved is matched by its natural key", "[rows]") {
    World world;
    world.shared(users());
    world.shared(roles());
    world.add(world.target, table("notes", {column("user_id", "integer", false), column("t", "text")}, {}));
    world.add(world.source, table("notes", {}, {}), true);
    world.source.table_facts.pop_back();
    const RowPlan plan =
        plan_rows(world.source, world.target, preserve({"roles"}, {"notes.user_id=users.id"}));
    REQUIRE(plan.tables.size() == 3);
    const MergeTable& user = *plan.table({"public", "users"});
    CHECK(user.role == MergeTable::Role::referenced);
    CHECK(user.columns.size() == 2); // id, name
    CHECK(plan.table({"public", "notes"})->role == MergeTable::Role::extra);
    REQUIRE(plan.references.size() == 2);
    CHECK(plan.references[0].null_columns == Columns{"user_id"});
    CHECK_FALSE(plan.references[0].declared);
}

TEST_CASE("what does not exist, or the source lacks, is refused", "[rows]") {
    World world;
    world.shared(users());
    world.add(world.target, table("only", {column("id", "integer")}, {}));
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({"user"})), Error);
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({"users=nick"})), Error);
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({"only"})), Error);
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({}, {"users.x=users.id"})), Error);
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({}, {"users.email"})), Error);
    CHECK_THROWS_AS(plan_rows(world.source, world.target, preserve({"users", "public.users"})), Error);
}

TEST_CASE("where only a generated key tells what a reference leads to, a note says so", "[rows]") {
    World world;
    world.shared(table("docs", {serial("id"), column("t", "text")}, {{"docs_pkey", {"id"}, true}}));
    world.shared(users());
    world.add(world.target,
              table("notes", {column("d", "integer"), column("u", "integer")}, {},
                    {{"fk", "public", "docs", {"d"}, {"id"}}, {"fk2", "public", "users", {"u"}, {"id"}}}));
    world.add(world.source, table("notes", {}, {}), true);
    world.source.table_facts.pop_back();
    const RowPlan plan = plan_rows(world.source, world.target, preserve({}));
    REQUIRE(plan.notes.size() == 1);
    CHECK(plan.notes[0].find("public.docs") != std::string::npos);
    CHECK(plan_rows(world.source, world.target, preserve({"docs"})).notes.empty());
}
