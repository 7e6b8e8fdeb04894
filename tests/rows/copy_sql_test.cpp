#include "rows/copy.hpp"

#include "base/error.hpp"
#include "rows/checksum.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using rows::Format;

namespace {

model::TableRows table(std::vector<std::string> columns) {
    model::TableRows made;
    made.schema = "pub\"lic";
    made.name = "ord;ers";
    made.columns = std::move(columns);
    return made;
}

model::TableRows sized(std::size_t columns, double row_bytes) {
    model::TableRows made = table(std::vector<std::string>(columns, "c"));
    made.binary_safe = true;
    made.rows = 1000;
    made.bytes = static_cast<std::uint64_t>(row_bytes * made.rows);
    return made;
}

} // namespace

TEST_CASE("a whole table is copied by name, with the columns named on both sides") {
    const model::TableRows orders = table({"id", "a b"});
    CHECK(rows::copy_out_sql(orders, {}, Format::text) ==
          R"(COPY "pub""lic"."ord;ers" ("id", "a b") TO STDOUT)");
    CHECK(rows::copy_in_sql(orders, Format::binary) ==
          R"(COPY "pub""lic"."ord;ers" ("id", "a b") FROM STDIN WITH (FORMAT binary))");
}

TEST_CASE("a range is a query on the table without its children, and a comment in it hides nothing") {
    const plan::Range range{"id < 5 -- half"};
    CHECK(rows::copy_out_sql(table({"id"}), range, Format::binary) ==
          "COPY (SELECT \"id\" FROM ONLY \"pub\"\"lic\".\"ord;ers\" WHERE (id < 5 -- half\n)) TO STDOUT WITH "
          "(FORMAT binary)");
}

TEST_CASE("a table without columns has no column list") {
    CHECK(rows::copy_out_sql(table({}), {}, Format::text) == R"(COPY "pub""lic"."ord;ers" TO STDOUT)");
    CHECK(rows::copy_in_sql(table({}), Format::text) == R"(COPY "pub""lic"."ord;ers" FROM STDIN)");
}

// Without the condition an extension's own rows would be copied on top of those that CREATE EXTENSION made.
TEST_CASE("of an extension's configuration table only the user's rows are read, by COPY and by the checks") {
    model::TableRows part = table({"id", "a b"});
    part.condition = "WHERE id > 99 -- ours";
    CHECK(rows::copy_out_sql(part, {}, Format::text) ==
          "COPY (SELECT \"id\", \"a b\" FROM ONLY \"pub\"\"lic\".\"ord;ers\" WHERE id > 99 -- ours\n) TO "
          "STDOUT");
    CHECK(rows::copy_out_sql(part, plan::Range{"id < 5"}, Format::binary) ==
          "COPY (SELECT \"id\", \"a b\" FROM (SELECT * FROM ONLY \"pub\"\"lic\".\"ord;ers\" WHERE id > 99 -- "
          "ours\n) AS configuration WHERE (id < 5\n)) TO STDOUT WITH (FORMAT binary)");
    const std::string from = R"( from only "pub""lic"."ord;ers" WHERE id > 99 -- ours)";
    CHECK(rows::count_sql({&part}) == "select count(*)" + from);
    CHECK(rows::checksum_sql({&part}, rows::HashedText::as_kept).ends_with(from));
    CHECK(rows::copy_in_sql(part, Format::text) == R"(COPY "pub""lic"."ord;ers" ("id", "a b") FROM STDIN)");
}

TEST_CASE("partitions that are measured as one") {
    const model::TableRows first = table({"a"});
    model::TableRows second = first;
    second.name = "other";
    CHECK(rows::count_sql({&first, &second}) ==
          R"(select count(*) from (select "a" from only "pub""lic"."ord;ers" union all )"
          R"(select "a" from only "pub""lic"."other") as partitions)");
}

TEST_CASE("rows of a hash partition on an enum go through the root, which must be named") {
    model::TableRows part = table({"id"});
    part.partition_root_load = true;
    CHECK(rows::copy_in_sql(part, Format::text, "public", "root") ==
          R"(COPY "public"."root" ("id") FROM STDIN)");
    CHECK_THROWS_AS(rows::copy_in_sql(part, Format::text), Error);
}

TEST_CASE("binary only where both majors and all types agree and rows are wide") {
    CHECK(rows::choose_format(sized(3, 1000), 150018, 150001) == Format::binary);
    CHECK(rows::choose_format(sized(3, 1000), 150018, 160001) == Format::text);
    model::TableRows unsafe = sized(3, 1000);
    unsafe.binary_safe = false;
    CHECK(rows::choose_format(unsafe, 150018, 150018) == Format::text);
    CHECK(rows::choose_format(sized(8, 28 + 8 * 5), 150018, 150018) == Format::text); // integers
    model::TableRows unknown = sized(3, 1000);
    unknown.rows = -1;
    CHECK(rows::choose_format(unknown, 150018, 150018) == Format::text);
}
