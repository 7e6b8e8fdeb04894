// What servers write, and what they write once they have read it: pairs seen on PostgreSQL 15.
#include "merge/canonical.hpp"
#include "support/catch.hpp"

using pgsluice::merge::canonical;
using pgsluice::merge::same_definition;

TEST_CASE("a definition is the same after a server has read it") {
    CHECK(same_definition(
        "CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b, c'::character varying])::text[])))",
        "CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b, c'::character "
        "varying)::text])))"));
    CHECK(same_definition(
        "(s::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]))",
        "(s::text = ANY (ARRAY['a'::character varying::text, 'b'::character varying::text]))"));
    CHECK(same_definition("SELECT (ARRAY[(1)::bigint, (2)::bigint])::text[] AS f4",
                          "SELECT ARRAY[((1)::bigint)::text, ((2)::bigint)::text] AS f4"));
    CHECK(same_definition("(ARRAY[f(a, b), c[1]])::public.\"my type\"[]",
                          "ARRAY[(f(a, b))::public.\"my type\", (c[1])::public.\"my type\"]"));
    CHECK(same_definition("   FROM (VALUES (1,'x'::text)) \"*VALUES*\";",
                          "   FROM ( VALUES (1,'x'::text)) \"*VALUES*\";"));
    CHECK(same_definition("IN ( SELECT 'a'::text\n UNION\n SELECT 'b'::text)",
                          "IN ( SELECT 'a'::text AS text\n UNION\n SELECT 'b'::text AS text)"));
    CHECK(
        same_definition("(ARRAY[ARRAY[1, 2], ARRAY[3, 4]])::bigint[]",
                        "ARRAY[ARRAY[((1))::bigint, ((2))::bigint], ARRAY[((3))::bigint, ((4))::bigint]]") ==
        false); // nobody has seen a server write the second
}

TEST_CASE("what means something else is another definition") {
    CHECK_FALSE(same_definition("(a + b) * c", "a + b * c"));
    CHECK_FALSE(same_definition("ARRAY['a '::text]", "ARRAY['a'::text]"));
    CHECK_FALSE(same_definition("(ARRAY['a'])::text[]", "ARRAY[('b')::text]"));
    CHECK_FALSE(same_definition("x::text", "x"));
    CHECK_FALSE(same_definition("SELECT a AS text", "SELECT a"));
    CHECK_FALSE(same_definition("AS $$ return  1 $$", "AS $$ return 1 $$"));
    CHECK_FALSE(same_definition("\"A b\"", "\"A  b\""));
}

TEST_CASE("texts that end in the middle are read to their end") {
    for (const char* text : {"'open", "\"open", "E'open\\", "$x$open", "ARRAY[", "(ARRAY[1", "(ARRAY[1])::",
                             "(ARRAY[])::text[]", "ARRAY[1]::text", "]", ")", "ARRAY[,]::text[]", "ARRAY"})
        CHECK_FALSE(canonical(text).empty());
}
