#include "base/run_id.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

using namespace pgsluice;

TEST_CASE("a cut never splits a character") {
    CHECK(cut_utf8("abc", 2) == "ab");
    CHECK(cut_utf8("a\xC3\xA4", 2) == "a");
    CHECK(cut_utf8("\xE2\x82\xAC", 2).empty());
}

TEST_CASE("a hostile name cannot start a line") {
    CHECK(one_line("a\r\nb\x1b[0m\xE2\x80\xA8"
                   "c\xC2\x85"
                   "d") == "a  b [0m c d");
    CHECK(one_line("z\xC3\xBC") == "z\xC3\xBC");
}

TEST_CASE("derived names fit and stay apart") {
    const std::string long_name(60, 'x');
    const std::string other = long_name.substr(0, 59) + "y";
    CHECK(previous_database_name("app") == "app_previous");
    CHECK(previous_database_name(long_name).size() <= 63);
    CHECK(previous_database_name(long_name) != previous_database_name(other));
    CHECK(beside_database_name(long_name, "abcdefgh").ends_with("_pgsluice_abcdefgh"));
    CHECK(is_run_id(new_run_id()));
    CHECK_FALSE(is_run_id("ABCDEFGH"));
}

TEST_CASE("sizes and lengths are read as people write them") {
    CHECK(parse_size("64MiB") == 64ull << 20);
    CHECK(parse_size("1 gb") == 1ull << 30);
    CHECK(parse_size("17179869184g") == std::nullopt);
    CHECK(parse_size("x") == std::nullopt);
    CHECK(parse_length("500ms") == std::chrono::milliseconds(500));
    CHECK(parse_length("2min") == std::chrono::minutes(2));
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(format_size(1536) == "1.5 KiB");
}
