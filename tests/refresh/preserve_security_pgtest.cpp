// Row security that hides a preserved table's rows from their owner.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

TEST_CASE("row security that prod forces on a preserved table hides nothing from the merge", "[preserve]") {
    const std::string table = "create table sec (id serial primary key, owner text not null unique);";
    Pair pair(
        table +
            R"(insert into sec (owner) values ('nobody'), ('b'); alter table sec enable row level security;
        alter table sec force row level security; create policy p on sec using (owner = 'nobody');)",
        table + R"(insert into sec (owner) values ('nobody'), ('eve');
        create table own (id serial primary key, sec int); insert into own (sec) values (2);)");
    std::vector<std::string> arguments =
        pair.arguments("refresh", {"--preserve", "sec", "--reference", "own.sec=sec.id"});
    arguments[2] = pair.source().superuser_conninfo(); // who reads all rows there
    std::string owners = "b eve nobody";
    SECTION("nothing changes meanwhile") {}
    SECTION("somebody writes meanwhile, with a migration") {
        owners = "b eve late nobody";
        arguments.insert(arguments.end(),
                         {"--migrate", "psql -X -d " + pair.target().name() +
                                           " -c \"insert into sec (owner) values ('late')\""});
    }
    const ProgramResult result = pgsluice::tests::pgsluice(arguments);
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().value("select string_agg(owner, ' ' order by owner) from sec") == owners);
    CHECK(pair.target().value("select owner from own join sec on sec.id = own.sec") == "eve");
    CHECK(pair.target().value("select relrowsecurity and relforcerowsecurity from pg_class where relname = "
                              "'sec'") == "t");
}
