// Rules 1 and 6 on hand-made catalogs: what is shared, who owns what, whose grants, what is left out and
// said.
#include <algorithm>

#include "merge/merge.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::merge;
using model::Kind;

namespace {

std::string text_of(const model::Object& object, const model::Database&) {
    const auto at = object.details.find("text");
    return at == object.details.end() ? object.name : at->second;
}

struct Made {
    model::Database database;
    model::Oid first = 1;
    model::Object& add(Kind kind, const std::string& name, const std::string& owner = "") {
        model::Object object;
        object.kind = kind;
        object.id = {1, first + database.objects.size()};
        object.schema = kind == Kind::schema || kind == Kind::extension ? "" : "s";
        object.name = name;
        object.owner = owner;
        return database.objects.emplace_back(std::move(object));
    }
    const model::Database& ready() {
        database.index();
        return database;
    }
};

model::Grant grant(const std::string& grantee, const std::string& privileges, const std::string& grantor) {
    model::Grant made;
    made.grantee = grantee;
    made.privileges = privileges;
    made.grantor = grantor;
    return made;
}

struct Sides {
    Made source, target;
    Options options;
    Sides() {
        target.first = (model::Oid{1} << 32) + 1; // as catalog::ReadOptions::is_target does
        source.database.properties.owner = "prod_owner";
        source.database.properties.encoding = "UTF8";
        target.database.properties.owner = "preprod_owner";
        target.database.properties.encoding = "LATIN9";
        target.database.roles = {"preprod_owner", "app", "grantor", "pg_database_owner"};
        options.connecting_role = "refresher";
    }
    Planned plan() { return plan_database(source.ready(), target.ready(), options, text_of, text_of); }
};

const model::Object& table(const Planned& planned, const std::string& name) {
    return *planned.database.find(model::NaturalKey{Kind::table, "s", "", name, ""});
}

bool says(const std::vector<std::string>& notes, const std::string& part) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("objects are matched by natural key, their differences are named") {
    Sides sides;
    sides.source.add(Kind::table, "both").elements = {"a", "new"};
    sides.target.add(Kind::table, "both").elements = {"own", "a"};
    sides.target.database.objects.back().details["text"] = "other";
    sides.source.add(Kind::table, "ours");
    sides.target.add(Kind::view, "ours"); // same name, another kind: another object
    sides.source.add(Kind::enum_type, "mood").elements = {"happy"};
    sides.target.add(Kind::enum_type, "mood").elements = {"happy", "sad"};
    sides.target.add(Kind::schema, "pgsluice");
    const Match found = match(sides.source.ready(), sides.target.ready(), text_of);
    CHECK(found.shared.size() == 2);
    REQUIRE(found.only_source.size() == 1);
    CHECK(found.only_source[0].name == "ours");
    REQUIRE(found.only_target.size() == 1);
    CHECK(found.only_target[0].kind == Kind::view);
    REQUIRE(found.drift.size() == 1);
    CHECK(found.drift[0].name == "table s.both");
    CHECK(found.drift[0].target_definition == "other");
    const auto text = [](const std::vector<Match::Element>& elements) {
        std::string all;
        for (const Match::Element& element : elements)
            all += element.schema + "." + element.relation + ": " + element.name + "; ";
        return all;
    };
    CHECK(text(found.elements_only_source) == "s.both: new; ");
    CHECK(text(found.elements_only_target) == "s.mood: sad; s.both: own; ");
}

TEST_CASE("a shared object keeps the target's owner and grants, the database its properties") {
    Sides sides;
    sides.source.add(Kind::table, "t", "prod_owner").acl.current = {grant("prod_app", "r", "prod_owner")};
    model::Object& theirs = sides.target.add(Kind::table, "t", "app");
    theirs.acl.base = {grant("app", "arwd", "app")};
    theirs.acl.current = {grant("app", "arwd", "app"), grant("", "r", "app")};
    theirs.column_acls["gone"].current = {grant("app", "r", "app")};
    theirs.column_acls["a"].current = {grant("app", "w", "app")};
    sides.source.database.objects.back().elements = {"a"};
    const Planned planned = sides.plan();
    const model::Object& made = table(planned, "t");
    CHECK(made.owner == "app");
    CHECK(made.acl.current == std::vector{grant("app", "arwd", "app"), grant("", "r", "app")});
    CHECK(made.column_acls.size() == 1);
    CHECK(says(planned.notes, "no column gone"));
    CHECK_FALSE(says(planned.notes, "prod_app"));
    CHECK(planned.database.properties.encoding == "LATIN9");
    CHECK(planned.database.roles == sides.target.database.roles);
}

TEST_CASE(
    "a new object gets the mapped owner, else ours, and grants to roles that exist; one note per role") {
    Sides sides;
    for (const char* name : {"one", "two"}) {
        model::Object& object = sides.source.add(Kind::table, name, "prod_owner");
        object.acl.base = {grant("prod_owner", "arwd", "prod_owner")};
        object.acl.current = {grant("prod_owner", "arwd", "prod_owner"),
                              grant("reporting", "r", "prod_owner"), grant("app", "r", "prod_owner"),
                              grant("", "r", "prod_owner")};
    }
    sides.source.add(Kind::table, "strange", "somebody");
    const Planned planned = sides.plan();
    const model::Object& made = table(planned, "one");
    CHECK(made.owner == "preprod_owner");
    CHECK(made.acl.base == std::vector{grant("preprod_owner", "arwd", "preprod_owner")});
    CHECK(made.acl.current == std::vector{grant("preprod_owner", "arwd", "preprod_owner"),
                                          grant("app", "r", "preprod_owner"),
                                          grant("", "r", "preprod_owner")});
    CHECK(table(planned, "strange").owner == "refresher");
    CHECK(planned.notes ==
          std::vector<std::string>{"role reporting does not exist on the target: what names it is left out"});

    sides.options.role_map = {{"reporting", "app"}, {"somebody", "grantor"}};
    const Planned mapped = sides.plan();
    CHECK(mapped.notes.empty());
    CHECK(table(mapped, "strange").owner == "grantor");
    CHECK(table(mapped, "one").acl.current.size() == 3);
}

TEST_CASE("--acl=source and --acl=both") {
    Sides sides;
    sides.source.add(Kind::table, "t", "prod_owner").acl.current = {grant("app", "ra", "prod_owner")};
    sides.target.add(Kind::table, "t", "preprod_owner").acl.current = {grant("app", "rw", "preprod_owner")};
    sides.options.acl = AclChoice::source;
    CHECK(table(sides.plan(), "t").acl.current == std::vector{grant("app", "ra", "preprod_owner")});
    sides.options.acl = AclChoice::both;
    CHECK(table(sides.plan(), "t").acl.current == std::vector{grant("app", "rwa", "preprod_owner")});
}

TEST_CASE("what a role granted that is not there, or that we may not become, the owner grants again") {
    Sides sides;
    sides.source.add(Kind::table, "t", "prod_owner").acl.current = {grant("app", "r", "gone"),
                                                                    grant("app", "w", "grantor")};
    CHECK(table(sides.plan(), "t").acl.current ==
          std::vector{grant("app", "r", "preprod_owner"), grant("app", "w", "grantor")});
    sides.options.can_set_role = std::set<std::string>{};
    const Planned planned = sides.plan();
    CHECK(table(planned, "t").acl.current == std::vector{grant("app", "rw", "preprod_owner")});
    CHECK(says(planned.notes, "what role grantor granted"));
}

TEST_CASE("a policy whose roles are all missing is left out, never for everybody") {
    Sides sides;
    sides.source.add(Kind::policy, "none").roles = {"reporting"};
    sides.source.add(Kind::policy, "some").roles = {"reporting", "prod_owner"};
    sides.source.add(Kind::policy, "all");
    const Planned planned = sides.plan();
    REQUIRE(planned.database.objects.size() == 2);
    CHECK(planned.database.objects[0].name == "all");
    CHECK(planned.database.objects[1].roles == std::vector<std::string>{"preprod_owner"});
    CHECK(says(planned.notes, "policy s.none is left out"));
}

TEST_CASE("default privileges are about the mapped role") {
    Sides sides;
    model::Object& ours = sides.source.add(Kind::default_acl, "prod_owner");
    ours.acl.current = {grant("app", "r", "prod_owner")};
    sides.source.add(Kind::default_acl, "reporting");
    const Planned planned = sides.plan();
    REQUIRE(planned.database.objects.size() == 1);
    CHECK(planned.database.objects[0].name == "preprod_owner");
    CHECK(planned.database.objects[0].acl.current == std::vector{grant("app", "r", "preprod_owner")});
    CHECK(says(planned.notes, "role reporting"));
}

TEST_CASE("schema public stays, schema pgsluice does not come, nor do wires, versions are noted") {
    Sides sides;
    sides.source.add(Kind::schema, "pgsluice");
    sides.target.add(Kind::schema, "public", "pg_database_owner");
    sides.source.add(Kind::extension, "citext").details["version"] = "1.6";
    sides.target.add(Kind::extension, "citext").details["version"] = "1.5";
    sides.source.database.unsupported = {{"subscription", "s1", true}, {"operator class", "s.x", false}};
    const Planned planned = sides.plan();
    REQUIRE(planned.database.objects.size() == 2);
    CHECK(planned.database.objects[0].name == "public");
    CHECK(says(planned.notes, "extension citext is version 1.6 on the source and 1.5 on the target"));
    REQUIRE(planned.database.unsupported.size() == 1);
    CHECK(planned.database.unsupported[0].kind == "operator class");
}

TEST_CASE("a fresh reading is compared part by part; the order of grants is none of them") {
    Made planned, found;
    planned.add(Kind::table, "same", "a").acl.current = {grant("x", "ra", "a"), grant("y", "r", "a")};
    found.add(Kind::table, "same", "a").acl.current = {grant("y", "r", "a"), grant("x", "ar", "a")};
    planned.add(Kind::table, "differs", "a").comment = "one";
    model::Object& other = found.add(Kind::table, "differs", "b");
    other.details["text"] = "other";
    other.acl.current = {grant("", "r", "b")};
    planned.add(Kind::view, "gone");
    found.add(Kind::index, "more");
    found.add(Kind::schema, "public");
    std::vector<std::string> seen;
    for (const Difference& difference : compare(planned.ready(), found.ready(), text_of))
        seen.push_back(difference.object + ": " + difference.what);
    CHECK(seen == std::vector<std::string>{"table s.differs: definition", "table s.differs: owner",
                                           "table s.differs: grants", "table s.differs: comment",
                                           "view s.gone: missing", "index s.more: unexpected"});
}
