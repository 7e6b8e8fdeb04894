// rules.md section 9: what the run checks before the swap, and what the command verify says afterwards.
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <thread>

using namespace pgsluice::tests;

namespace {

std::map<std::string, boost::json::object> verified(Pair& pair, const std::string& rows, int exit_code = 0) {
    const ProgramResult result = pair.run("verify", {"--rows", rows, "--format", "json"});
    INFO(result.text());
    CHECK(result.exit_code == exit_code);
    REQUIRE(result.out.starts_with("{"));
    std::map<std::string, boost::json::object> tables;
    const boost::json::value report = boost::json::parse(result.out);
    for (const boost::json::value& table : report.at("tables").as_array())
        tables[std::string(table.at("table").as_string())] = table.as_object();
    return tables;
}

constexpr const char* rows_sql =
    "create table a (id int primary key, v text); create table b (like a including all);"
    "create table c (like a including all); create table d (like a including all);"
    "insert into a select i, 'x' from generate_series(1, 100) i; insert into b select * from a;"
    "insert into c select * from a; insert into d select * from a;";

} // namespace

TEST_CASE("after --verify=checksum the command verify says who changed a table since", "[verify]") {
    Pair pair(rows_sql);
    REQUIRE(pair.run("refresh", {"--verify", "checksum"}).exit_code == 0);
    pair.source().sql("update a set v = 'y' where id = 1; update c set v = 'y' where id = 1");
    pair.target().sql("update b set v = 'z' where id = 1; update c set v = 'z' where id = 1");
    auto tables = verified(pair, "checksum");
    const auto says = [&](const char* table) {
        return std::string(tables.at(table).at("changed_by").as_string()) +
               (tables.at(table).at("same").as_bool() ? ", same" : ", differs");
    };
    CHECK(says("public.a") == "source, differs");
    CHECK(says("public.b") == "target, differs");
    CHECK(says("public.c") == "both, differs");
    CHECK(says("public.d") == "nobody, same");
    const ProgramResult text = pair.run("verify", {"--rows", "checksum"});
    INFO(text.text());
    CHECK(text.exit_code == 0);
    CHECK(text.out.find("source") != std::string::npos);

    // Counts see only that a row is gone.
    pair.target().sql("delete from d where id = 5");
    tables = verified(pair, "counts");
    CHECK(tables.at("public.d").at("rows_target").as_int64() == 99);
    CHECK_FALSE(tables.at("public.d").at("same").as_bool());
    CHECK(tables.at("public.a").at("same").as_bool());
}

TEST_CASE("without recorded checksums nobody is named; a schema that differs is exit 1", "[verify]") {
    Pair pair(rows_sql);
    REQUIRE(pair.run("refresh").exit_code == 0);
    pair.target().sql("update a set v = 'z'");
    const auto tables = verified(pair, "checksum");
    CHECK_FALSE(tables.at("public.a").at("same").as_bool());
    const auto& a = tables.at("public.a");
    CHECK((!a.contains("changed_by") || a.at("changed_by") == "unknown"));
    pair.target().sql("alter table b add column own int; create view extra as select * from a");
    verified(pair, "counts", 1);
    const ProgramResult text = pair.run("verify");
    INFO(text.text());
    CHECK(text.out.find("view public.extra") != std::string::npos);
    CHECK(text.out.find("table public.b") != std::string::npos);
}

namespace {

// A materialized view that takes its time, so that there is a while to interfere.
const std::string slow_sql =
    std::string(rows_sql) +
    "create materialized view slow as select pg_sleep(4)::text as s, count(*) from a;";

// A refresh, and a statement in its new database.
ProgramResult run_disturbed(const Pair& pair, const std::vector<std::string>& more,
                            const std::string& statement) {
    Program run(pgsluice_command(pair.arguments("refresh", more)));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool changed = false;
    while (!changed && run.running() && std::chrono::steady_clock::now() < deadline) {
        for (const std::string& name : pair.leftovers()) {
            try {
                Session session{pair.target().cluster().superuser_conninfo(name)};
                // The view is there once all definitions are; its refresh takes its time.
                if (session.value("select count(*) from pg_stat_activity where datname = current_database() "
                                  "and pid <> pg_backend_pid() and query "
                                  "ilike '%refresh%slow%' and state = 'active'") == "0")
                    continue;
                session.sql(statement);
                changed = true;
            } catch (const std::exception&) {
                // Not there yet.
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const ProgramResult result = run.wait();
    INFO(result.text());
    REQUIRE(changed);
    return result;
}

} // namespace

TEST_CASE("a new database that somebody changed while it was built is not swapped in", "[verify][refresh]") {
    Pair pair(slow_sql);
    pair.target().sql("create table kept as select 1 as i");
    const StockDump before = stock_dump(pair.target().superuser_conninfo());
    const char* statement = "";
    SECTION("an object more") { statement = "create table intruder (i int)"; }
    SECTION("an object less") { statement = "drop table b"; }
    SECTION("another definition") { statement = "alter table c alter v set default 'other'"; }
    SECTION("a comment") { statement = "comment on table d is 'other'"; }
    const ProgramResult result = run_disturbed(pair, {"--extras", "drop"}, statement);
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("not what was planned") != std::string::npos);
    CHECK(pair.leftovers().empty());
    CHECK(first_difference(before, stock_dump(pair.target().superuser_conninfo())).empty());
}

TEST_CASE("what only the target has and is not as planned is said, and waits where it is missing",
          "[verify][extras]") {
    const std::string own = "create view seen as select * from a; create index b_more on b (v);";
    const Pair pair(slow_sql, slow_sql + own);
    const ProgramResult result =
        run_disturbed(pair, {}, "drop view seen; drop index b_more; create index b_more on b (v desc)");
    INFO(result.text());
    CHECK(result.exit_code == 0);
    CHECK(result.err.find("remark: view public.seen: not carried: it was not there after the load") !=
          std::string::npos);
    CHECK(result.err.find("remark: index public.b_more: definition differs from what was planned") !=
          std::string::npos);
    CHECK(pair.target()
              .value("select sql from pgsluice.pending where object = 'view public.seen'")
              .starts_with("CREATE VIEW"));
    CHECK(pair.run("refresh").exit_code == 0);
    CHECK(pair.target().value("select count(*) from seen") == pair.target().value("select count(*) from a"));
    CHECK(pair.target().value("select count(*) from pgsluice.pending") == "0");
}

TEST_CASE("rows of hash partitions by an enum are compared as one table", "[verify]") {
    Pair pair("create type noise as enum ('x', 'y'); drop type noise; create type c as enum ('a', 'b', 'd', "
              "'e', 'f', 'g');"
              "create table p (k c, n int) partition by hash (k);"
              "create table p0 partition of p for values with (modulus 3, remainder 0);"
              "create table p1 partition of p for values with (modulus 3, remainder 1);"
              "create table p2 partition of p for values with (modulus 3, remainder 2);"
              "insert into p select (array['a', 'b', 'd', 'e', 'f', 'g'])[1 + i % 6]::c, i from "
              "generate_series(1, 600) i");
    const ProgramResult result = pair.run("refresh", {"--verify", "checksum"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value("select count(*) || ' ' || sum(n) from p") == "600 180300");
    const ProgramResult verified = pair.run("verify", {"--rows", "checksum"});
    INFO(verified.text());
    CHECK(verified.exit_code == 0);
    CHECK(verified.out.find("differs") == std::string::npos);
}

TEST_CASE("a table that only the target has is not lost because somebody drops it meanwhile",
          "[verify][extras]") {
    const Pair pair(slow_sql, slow_sql + "create table own as select 1 as i;");
    const ProgramResult result = run_disturbed(pair, {}, "drop table own");
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("table public.own (missing)") != std::string::npos);
    CHECK(pair.target().value("select i from own") == "1");
}
