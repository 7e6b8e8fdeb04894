#include "kinds/whole_row.hpp"

#include "support/catch.hpp"

using pgsluice::kinds::replace_whole_row;

TEST_CASE("a whole row in an expression is told from what only looks like one", "[kinds]") {
    const auto read = [](const char* expression, const char* table = "t") {
        const auto reading = replace_whole_row(expression, table, "ROW");
        return std::to_string(reading.reads_row) + " " + reading.text;
    };
    CHECK(read("f(t.*)") == "1 f(ROW)");
    CHECK(read("g(a, t.*, t.*)") == "1 g(a, ROW, ROW)");
    CHECK(read("(t.* IS NOT NULL)") == "1 (ROW IS NOT NULL)");
    CHECK(read("f(\"T \"\"x\".*)", "\"T \"\"x\"") == "1 f(ROW)");
    CHECK(read("f(at.*)") == "0 f(at.*)");
    CHECK(read("f('(t.*)'::text)") == "0 f('(t.*)'::text)");
    CHECK(read("f('it''s (t.*)')") == "0 f('it''s (t.*)')");
    CHECK(read("(a OPERATOR(t.*) b)") == "0 (a OPERATOR(t.*) b)");
    CHECK(read("('unclosed t.*") == "0 ('unclosed t.*");
    CHECK(read("") == "0 ");
}
