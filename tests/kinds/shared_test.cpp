// Rows, arrays, ACLs and settings as servers send them, hostile ones too: what does not parse must be an
// error and never a half-read value, and what parses must come out as SQL that means the same.
#include <map>

#include "base/error.hpp"
#include "kinds/acl.hpp"
#include "kinds/guc.hpp"
#include "kinds/registry.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::kinds;

namespace {

class FakeRow : public Row {
public:
    explicit FakeRow(std::map<std::string, std::optional<std::string>> values) : values_(std::move(values)) {}
    std::optional<std::string_view> get(std::string_view column) const override {
        const auto at = values_.find(std::string(column));
        if (at == values_.end()) throw Error{ErrorKind::internal, "no such column"};
        return at->second;
    }

private:
    std::map<std::string, std::optional<std::string>> values_;
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("arrays are read as array_out writes them") {
    CHECK(parse_array("{}").empty());
    CHECK(parse_array("{a,\"b,c\",NULL,\"NULL\"}") == Texts{"a", "b,c", "", "NULL"});
    CHECK(parse_array("{\"q\\\"uote\",\"back\\\\slash\",\"\",\"line\nbreak\",\"{}\"}") ==
          Texts{"q\"uote", "back\\slash", "", "line\nbreak", "{}"});
    CHECK(parse_array("[0:1]={a,b}") == Texts{"a", "b"});
    for (const char* broken :
         {"", "{", "}", "a", "{a", "{a,}", "{,a}", "{\"a}", "{a}b", "{{a}}", "{\"a\"b}", "{a\\}"})
        CHECK_THROWS_AS(parse_array(broken), Error);
}

TEST_CASE("ACLs are read with odd role names, PUBLIC and grant options") {
    const auto grants = parse_acl("{=r/owner,\"\\\"odd \\\"\\\"name=\\\"=a*rw*/owner\",owner=arwdDxt/owner}");
    REQUIRE(grants.size() == 3);
    CHECK(grants[0].grantee.empty());
    CHECK(grants[1].grantee == "odd \"name=");
    CHECK(grants[1].privileges == "arw");
    CHECK(grants[1].with_option == "aw");
    CHECK(grants[2].grantor == "owner");
    for (const char* broken : {"{a}", "{a=r}", "{a=*r/o}", "{a=r1/o}", "{\"\\\"a=r/o\"}"})
        CHECK_THROWS_AS(parse_acl(broken), Error);
}

TEST_CASE("values of catalog columns parse or fail") {
    const FakeRow row(
        {{"yes", "t"}, {"null", std::nullopt}, {"number", "-12"}, {"text", "12x"}, {"oid", "4294967295"}});
    CHECK(row.boolean("yes"));
    CHECK_FALSE(row.boolean("null"));
    CHECK(row.number("number") == -12);
    CHECK(row.oid("oid") == 4294967295U);
    CHECK(row.letter("null") == '\0');
    CHECK_FALSE(row.optional_text("null").has_value());
    CHECK_THROWS_AS(row.number("text"), Error);
    CHECK_THROWS_AS(row.oid("number"), Error);
    CHECK_THROWS_AS(row.boolean("text"), Error);
    CHECK_THROWS_AS(row.letter("text"), Error);
    CHECK_THROWS_AS(row.text("missing"), Error);
}

TEST_CASE("an ACL's difference revokes first and from the end, and takes on the grantor") {
    AclWording wording;
    wording.on = "TABLE \"t\"";
    wording.owner = "o";
    const auto from = parse_acl("{o=arw/o,a=r*/o,b=r/a}");
    const auto to = parse_acl("{o=r/o,a=rw*/o,=r/o,c=r/a}");
    CHECK(acl_statements(wording, from, to) ==
          Texts{"SET ROLE \"a\"; REVOKE SELECT ON TABLE \"t\" FROM \"b\"; RESET ROLE;",
                "REVOKE GRANT OPTION FOR SELECT ON TABLE \"t\" FROM \"a\";",
                "REVOKE INSERT, UPDATE ON TABLE \"t\" FROM \"o\";",
                "GRANT UPDATE ON TABLE \"t\" TO \"a\" WITH GRANT OPTION;",
                "GRANT SELECT ON TABLE \"t\" TO PUBLIC;",
                "SET ROLE \"a\"; GRANT SELECT ON TABLE \"t\" TO \"c\"; RESET ROLE;"});
    CHECK(acl_statements(wording, to, to).empty());
    CHECK(privilege_list("rw", "\"c\"") == "SELECT (\"c\"), UPDATE (\"c\")");
    CHECK_THROWS_AS(privilege_list("?"), Error);
}

TEST_CASE("settings that are lists of names are written element by element") {
    CHECK(setting_sql("search_path=\"$user\", public, \"a\"\"b\"") ==
          "\"search_path\" TO '$user', 'public', 'a\"b'");
    CHECK(setting_sql("search_path=\"\"") == "\"search_path\" TO ''");
    CHECK(setting_sql("work_mem=8MB") == "\"work_mem\" TO '8MB'");
    CHECK(setting_sql("DateStyle=ISO, MDY") == "\"DateStyle\" TO 'ISO, MDY'");
    CHECK_THROWS_AS(setting_sql("nothing"), Error);
}

TEST_CASE("the registry has every kind at its place, with what the engine asks of it") {
    REQUIRE(all().size() == model::kind_count);
    for (std::size_t i = 0; i < all().size(); ++i) {
        const Descriptor& kind = *all()[i];
        CAPTURE(i);
        CHECK(kind.kind == static_cast<model::Kind>(i));
        CHECK(kind.write != nullptr);
        CHECK(kind.address != nullptr);
        CHECK_FALSE(kind.queries.empty());
        CHECK(kind.has_acl == (kind.acl_type != '\0'));
    }
}
