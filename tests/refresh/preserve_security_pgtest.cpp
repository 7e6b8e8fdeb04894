// Row security that hides rows from the owner of their table, too.
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

TEST_CASE("foreign keys of tables whose owner is bound by their row security are validated", "[refresh]") {
    Pair pair(
        R"(create table p (a int primary key, b text); insert into p select g, g from generate_series(1, 10) g;
        create table c (a int references p, x int); insert into c select g, g from generate_series(1, 10) g;
        create policy q on p using (a < 5); alter table p enable row level security, force row level security;
        create policy q on c using (a < 5); alter table c enable row level security, force row level security;)",
        "");
    std::vector<std::string> arguments = pair.arguments("refresh");
    arguments[2] = pair.source().superuser_conninfo(); // who reads all rows there
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pgsluice::tests::pgsluice(arguments);
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pair.target().value("select convalidated from pg_constraint where contype = 'f'") == "t");
        CHECK(pair.target().value("select count(*) from pg_class where relforcerowsecurity") == "2");
    }
}
