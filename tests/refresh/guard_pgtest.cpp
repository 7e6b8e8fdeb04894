// The pair that the user cannot mean (rules.md section 7), beyond what refusals_pgtest.cpp tries.
#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

constexpr const char* small =
    "create table t (id int primary key); insert into t select generate_series(1, 10)";

std::vector<std::string> words(const std::string& source, const std::string& target,
                               const std::string& allowed) {
    return {"refresh", "--source", source, "--target", target, "--allow-target", allowed};
}

ProgramResult run_words(std::vector<std::string> arguments) { return tests::pgsluice(std::move(arguments)); }

} // namespace

TEST_CASE("the database that the last run moved away is no source of the next", "[guard]") {
    Pair pair(small, small);
    REQUIRE(pair.run("refresh").ok());
    TestCluster& server = pair.target().cluster();
    const std::string previous = pair.target().name() + "_previous";
    std::string source = pair.target().conninfo();
    source.replace(source.find(pair.target().name()), pair.target().name().size(), previous);
    const std::string oid = "select oid from pg_database where datname = '" + previous + "'";
    const std::string before = Session{server.superuser_conninfo("postgres")}.value(oid);
    const ProgramResult result = run_words(words(source, pair.target().conninfo(), pair.allowed()));
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "have made or moved away"));
    CHECK(Session{server.superuser_conninfo("postgres")}.value(oid) == before);
}

TEST_CASE("exchanged after a run, they are refused whatever --allow-target names", "[guard]") {
    Pair pair(small, small);
    REQUIRE(pair.run("refresh").ok());
    const std::string prod = pair.source().conninfo(), preprod = pair.target().conninfo();
    const std::string host = pair.allowed().substr(0, pair.allowed().rfind('/') + 1);
    const ProgramResult result = run_words(words(preprod, prod, host + pair.source().name()));
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "exchanged"));
    CHECK(pair.source().value("select to_regnamespace('pgsluice') is null") == "t");
}

TEST_CASE("--allow-target may name the port, too", "[guard]") {
    Pair pair(small, small);
    const std::string host = pair.allowed().substr(0, pair.allowed().rfind('/'));
    const std::string& port = pair.target().cluster().port();
    const std::string source = pair.source().conninfo(), target = pair.target().conninfo();
    const ProgramResult wrong = run_words(words(source, target, host + ":1/" + pair.target().name()));
    INFO(wrong.text());
    CHECK(wrong.exit_code == 1);
    const ProgramResult right =
        run_words(words(source, target, host + ":" + port + "/" + pair.target().name()));
    INFO(right.text());
    CHECK(right.ok());
}

TEST_CASE("the connection limit of a database counts before anything is dropped", "[guard]") {
    Pair pair(small, small);
    REQUIRE(pair.run("refresh").ok());
    Session{pair.source().cluster().superuser_conninfo("postgres")}.sql(
        "alter database " + pair.source().name() + " connection limit 5");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "too few free connections"));
    CHECK(Session{pair.target().cluster().superuser_conninfo("postgres")}.value(
              "select count(*) from pg_database where datname = '" + pair.target().name() + "_previous'") ==
          "1");
}

TEST_CASE("rows of the target that the role cannot read are refused before any write", "[guard]") {
    Pair pair(small, R"(create table t (id int primary key);
        create table own (id int primary key, t int references t);
        alter table own enable row level security; alter table own force row level security)");
    for (const char* command : {"plan", "refresh"}) {
        const ProgramResult result = pair.run(command);
        INFO(result.text());
        CHECK(contains(result.text(), "the target's rows that come along cannot be read"));
        CHECK(contains(result.text(), "NO FORCE ROW LEVEL SECURITY"));
    }
    CHECK(pair.target().value("select to_regnamespace('pgsluice') is null") == "t");
}
