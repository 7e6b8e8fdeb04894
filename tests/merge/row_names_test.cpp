// Names in options: as they stand, or quoted as in SQL.
#include "merge/row_names.hpp"
#include "support/catch.hpp"

using namespace pgsluice::merge;

TEST_CASE("names are split outside quotes and lose them") {
    CHECK(split_name(R"(a."b.c".d)", '.') == std::vector<std::string>{"a", R"("b.c")", "d"});
    CHECK(split_name("", '=') == std::vector<std::string>{""});
    CHECK(split_name(R"("a""=b"=c)", '=') == std::vector<std::string>{R"("a""=b")", "c"});
    CHECK(split_name(R"(public.quo"te2=tag)", '=') == std::vector<std::string>{R"(public.quo"te2)", "tag"});
    CHECK(split_name(R"("odd=tag)", '=') == std::vector<std::string>{R"("odd)", "tag"});
    CHECK(unquoted(R"("a""=b")") == R"(a"=b)");
    CHECK(unquoted("a") == "a");
    CHECK(unquoted("\"") == "\"");
    CHECK(unquoted(R"("")").empty());
}

TEST_CASE("a table is named with or without its schema, quoted where it must be") {
    for (const char* text : {"s.t.x", "t.x", R"("t.x")", R"(s."t.x")", R"("s"."t.x")"})
        CHECK(names_table(text, "s", "t.x"));
    for (const char* text : {"x", R"("s.t.x")", R"(a.s."t.x")", ""})
        CHECK_FALSE(names_table(text, "s", "t.x"));
}
