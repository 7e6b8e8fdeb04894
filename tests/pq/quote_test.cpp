// The one quoting layer against names and bodies that were made to break out of it.
#include "pq/quote.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace pgsluice::pq;
using std::string_view_literals::operator""sv;

namespace {

// Reads a dollar-quoted text as the server's scanner does: the first place where the whole tag occurs ends
// it. An attempt that fails gives back its last $, so a tag may begin with it.
std::string read_dollar_quoted(const std::string& quoted) {
    const std::size_t tag_end = quoted.find('$', 1);
    const std::string tag = quoted.substr(0, tag_end + 1);
    const std::size_t close = quoted.find(tag, tag.size());
    REQUIRE(close != std::string::npos);
    CHECK(close + tag.size() == quoted.size()); // nothing may be left behind the closing tag
    return quoted.substr(tag.size(), close - tag.size());
}

} // namespace

TEST_CASE("identifiers are always quoted and quotes doubled") {
    CHECK(quote_identifier("orders") == R"("orders")");
    CHECK(quote_identifier("select") == R"("select")");
    CHECK(quote_identifier("Mixed Case") == R"("Mixed Case")");
    CHECK(quote_identifier(R"(a"b)") == R"("a""b")");
    CHECK(quote_identifier(R"(")") == R"("""")");
    CHECK(quote_identifier("") == R"("")");
    CHECK(quote_identifier(R"(x"; drop table y; --)") == R"("x""; drop table y; --")");
    CHECK(quote_identifier(R"(a\b)") == R"("a\b")"); // a backslash means nothing inside an identifier
    CHECK(quote_identifier("a\nb") == "\"a\nb\"");
    CHECK(quote_identifier("a$b") == "\"a$b\"");
    CHECK(quote_identifier("größe") == "\"größe\"");
    CHECK_THROWS_AS(quote_identifier("a\0b"sv), pgsluice::Error);
}

TEST_CASE("qualified names") {
    CHECK(quote_qualified("public", "t") == R"("public"."t")");
    CHECK(quote_qualified("", "t") == R"("t")");
    CHECK(quote_qualified("a.b", "c.d") == R"("a.b"."c.d")");
    CHECK(quote_identifiers({}).empty());
    CHECK(quote_identifiers({"a"}) == R"("a")");
    CHECK(quote_identifiers({"a", "b\"c"}) == R"("a", "b""c")");
}

TEST_CASE("an empty name in a list is still a name") { CHECK(quote_identifiers({"", "b"}) == R"("", "b")"); }

TEST_CASE("literals are right whatever standard_conforming_strings is") {
    CHECK(quote_literal("") == "''");
    CHECK(quote_literal("plain") == "'plain'");
    CHECK(quote_literal("it's") == "'it''s'");
    CHECK(quote_literal(R"(a\b)") == R"(E'a\\b')");
    CHECK(quote_literal(R"(\')") == R"(E'\\''')");
    CHECK(quote_literal("a\nb") == "'a\nb'");
    CHECK(quote_literal("$$") == "'$$'");
    CHECK(quote_literal("\xE2\x82\xAC") == "'\xE2\x82\xAC'");
    CHECK_THROWS_AS(quote_literal("a\0b"sv), pgsluice::Error);
}

TEST_CASE("dollar quotes end where the text ends") {
    for (const std::string text :
         {"", "select 1", "$$", "$", "$_", "$_$", "a$_", "$_a$", "x $_a", "$_a$_b$_c",
          "$function$ begin $_$ end $function$", "it's \\ $1 \n end", "$_$_a$_aa$_", "\xC3\xA4$_\xC3\xA4"}) {
        INFO(text);
        CHECK(read_dollar_quoted(dollar_quote(text)) == text);
    }
    CHECK_THROWS_AS(dollar_quote("a\0b"sv), pgsluice::Error);
}

TEST_CASE("a body that holds every short tag gets a longer one") {
    std::string body = "$_";
    for (char a = 'a'; a <= 'z'; ++a) {
        body += std::string("$_") + a;
        for (char b = 'a'; b <= 'z'; ++b) body += std::string("$_") + a + b + "$";
    }
    CHECK(read_dollar_quoted(dollar_quote(body)) == body);
}

TEST_CASE("roles: empty is PUBLIC, the name public is a name") {
    CHECK(quote_role("") == "PUBLIC");
    CHECK(quote_role("public") == R"("public")");
    CHECK(quote_role("o'neil") == R"("o'neil")");
}

TEST_CASE("conninfo values") {
    CHECK(quote_conninfo_value("") == "''");
    CHECK(quote_conninfo_value("a b") == "'a b'");
    CHECK(quote_conninfo_value(R"(it's \ here)") == R"('it\'s \\ here')");
    CHECK_THROWS_AS(quote_conninfo_value("a\0b"sv), pgsluice::Error);
}

TEST_CASE("comment text stays on its line") {
    CHECK(comment_text("a\nb") == "a b");
    CHECK(comment_text("a\r\n\\connect evil") == "a  \\connect evil");
    CHECK(comment_text("plain") == "plain");
}
