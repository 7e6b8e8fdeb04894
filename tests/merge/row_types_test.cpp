// What types can be compared, and which can hold which.
#include "merge/row_types.hpp"
#include "support/catch.hpp"

using namespace pgsluice::merge;

TEST_CASE("types of two kinds are apart, those of the user nobody knows") {
    CHECK(apart("bigint", "uuid"));
    CHECK(apart("integer", "text"));
    CHECK_FALSE(apart("integer", "numeric(10,2)"));
    CHECK_FALSE(apart("text", "character varying(9)"));
    CHECK_FALSE(apart("timestamp(3) without time zone", "date"));
    CHECK_FALSE(apart("public.st", "text"));
    CHECK(can_hold("text", "bigint"));
    CHECK(can_hold("bigint", "integer"));
    CHECK_FALSE(can_hold("bigint", "text"));
    CHECK_FALSE(can_hold("bigint", "uuid"));
}

TEST_CASE("values of two types are compared without a cast that fails, cuts or rounds") {
    using Both = std::pair<std::string, std::string>;
    CHECK(comparable("a", "bigint", "b", "bigint") == Both{"a", "b"});
    CHECK(comparable("a", "numeric(10,2)", "b", "bigint") ==
          Both{"a::pg_catalog.numeric", "b::pg_catalog.numeric"});
    CHECK(comparable("a", "text", "b", "bigint") == Both{"a::pg_catalog.text", "b::pg_catalog.text"});
    CHECK(comparable("a", "text", "b", "character varying(4)") ==
          Both{"a::pg_catalog.text", "b::pg_catalog.text"});
    CHECK(comparable("a", "text", "b", "public.citext") == Both{"a::public.citext", "b"});
    CHECK(differ("a", "numeric(10,2)", "b", "bigint") == "a::pg_catalog.numeric <> b::pg_catalog.numeric");
    CHECK(differ("a", "uuid", "b", "text") == "a::pg_catalog.text <> b::pg_catalog.text");
}
