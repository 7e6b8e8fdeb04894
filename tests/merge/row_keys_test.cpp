// By what rows are one entity: rules.md section 3.
#include "support/catch.hpp"

#include "merge/row_keys.hpp"

using namespace pgsluice;
using namespace pgsluice::merge;
using Columns = std::vector<std::string>;
using Role = MergeTable::Role;

namespace {

model::ColumnFacts column(const std::string& name, const std::string& type, bool not_null = true,
                          bool from_sequence = false) {
    model::ColumnFacts facts;
    facts.name = name;
    facts.type = type;
    facts.not_null = not_null;
    facts.has_default = facts.from_sequence = from_sequence;
    return facts;
}

// id (as `key_type`, generated or not), login and email, which may be NULL, and a reference.
MergeTable keys_of(Role role, const std::string& key_type, bool from_sequence,
                   const std::vector<model::KeyFacts>& keys, const Columns& named = {}) {
    model::TableFacts facts;
    facts.columns = {column("id", key_type, true, from_sequence), column("login", "text"),
                     column("email", "text", false), column("team", "integer")};
    facts.keys = keys;
    facts.references = {{"fk", "public", "teams", {"team"}, {"id"}}};
    MergeTable table;
    table.role = role;
    for (const model::ColumnFacts& column : facts.columns) {
        MergeColumn made;
        made.name = column.name;
        made.type = column.type;
        table.columns.push_back(made);
    }
    set_keys(table, facts, facts, named);
    return table;
}

const model::KeyFacts primary{"pk", {"id"}, true, {}, ""};
const model::KeyFacts login{"login", {"login"}, false, {}, ""};
const model::KeyFacts email{"email", {"email"}, false, {}, ""};
const model::KeyFacts lower_login{"lower", {"login"}, false, {"(lower(login))"}, ""};
const model::KeyFacts partial{"partial", {"login", "email"}, false, {"login"}, "email is null"};

} // namespace

TEST_CASE("a generated key is no natural key while any other is", "[rows]") {
    for (const model::KeyFacts& other : {email, lower_login, partial}) {
        const MergeTable table = keys_of(Role::preserved, "integer", true, {primary, other});
        CHECK(table.natural_keys.empty());
        REQUIRE(table.expression_keys.size() == 1);
        CHECK(table.expression_keys[0].reads == other.columns);
        CHECK(table.expression_keys[0].predicate == other.predicate);
    }
    CHECK(keys_of(Role::preserved, "integer", true, {primary, email}).expression_keys[0].expressions ==
          Columns{"\"email\""});
    const MergeTable both = keys_of(Role::preserved, "integer", true, {primary, login, email});
    CHECK(both.natural_keys == std::vector<Columns>{{"login"}});
    CHECK(both.expression_keys.empty());
    CHECK_FALSE(both.known_if_recorded);
}

TEST_CASE("with nothing but a generated key rows are compared as wholes", "[rows]") {
    MergeTable table = keys_of(Role::preserved, "integer", true, {primary});
    CHECK(table.natural_keys.empty());
    CHECK(table.known_if_recorded);
    CHECK(table.duplicates_by == Columns{"login", "email", "team"});
    // Where only references to it are followed, its rows are the source's.
    table = keys_of(Role::referenced, "integer", true, {primary});
    CHECK(table.natural_keys == std::vector<Columns>{{"id"}});
    table = keys_of(Role::referenced, "integer", true, {primary, email});
    REQUIRE(table.expression_keys.size() == 2);
    CHECK(table.expression_keys[1].predicate == "(true and (\"email\") is not null) is not true");
    CHECK(keys_of(Role::preserved, "integer", true, {primary}, {"id"}).natural_keys ==
          std::vector<Columns>{{"id"}});
}

TEST_CASE("an assigned number gives way to a key that says more, a text and a uuid do not", "[rows]") {
    const MergeTable table = keys_of(Role::preserved, "bigint", false, {primary, login});
    CHECK(table.natural_keys == std::vector<Columns>{{"login"}});
    CHECK(table.known_if_recorded);
    CHECK(table.duplicates_by.empty());
    CHECK(keys_of(Role::preserved, "bigint", false, {primary, lower_login}).natural_keys.empty());
    CHECK(keys_of(Role::preserved, "bigint", false, {primary, email}).natural_keys ==
          std::vector<Columns>{{"id"}});
    for (const char* type : {"text", "uuid"})
        CHECK(keys_of(Role::preserved, type, false, {primary, login}).natural_keys ==
              std::vector<Columns>{{"id"}, {"login"}});
    // What a reference leads to says enough.
    const model::KeyFacts by_team{"pk", {"team"}, true, {}, ""};
    CHECK(keys_of(Role::preserved, "bigint", false, {by_team, login}).natural_keys.size() == 2);
}

TEST_CASE("without a primary key rows are known by what they have", "[rows]") {
    const MergeTable table = keys_of(Role::preserved, "bigint", false, {email});
    CHECK(table.natural_keys == std::vector<Columns>{{"id", "login", "email", "team"}});
    CHECK(table.expression_keys.size() == 1);
    CHECK_FALSE(table.known_if_recorded);
}

TEST_CASE("rows that the target tells apart by a name of its own are not one because the rest is", "[rows]") {
    model::TableFacts ours;
    ours.columns = {column("id", "bigint", true, true), column("active", "boolean")};
    ours.keys = {primary};
    model::TableFacts theirs = ours;
    theirs.columns.push_back(column("login", "text"));
    const auto keys = [&](Role role) {
        MergeTable table;
        table.role = role;
        for (const char* name : {"id", "active"}) {
            MergeColumn made;
            made.name = name;
            table.columns.push_back(made);
        }
        set_keys(table, ours, theirs, {});
        return table;
    };
    CHECK(keys(Role::preserved).rest_tells);
    theirs.keys.push_back(login);
    CHECK_FALSE(keys(Role::preserved).rest_tells);
    CHECK(keys(Role::referenced).natural_keys == std::vector<Columns>{{"id"}});
    ours.columns.push_back(column("username", "text", false));
    ours.keys.push_back({"username", {"username"}, false, {}, ""});
    CHECK(keys(Role::referenced).natural_keys.empty());
    // One that both sides could know is better than none.
    theirs.keys.back().columns = {"active"};
    CHECK(keys(Role::preserved).natural_keys == std::vector<Columns>{{"active"}});
}
