// Somebody meddles with the new database while it is filled: the run sees it by its own counting and reading.
#include "support/catch.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

// A template whose event trigger does something to public.orders as soon as that is made. Its functions are
// in information_schema, which nobody compares.
struct Meddling {
    Meddling(TestCluster& on, const std::string& function, const std::string& statement) : cluster(on) {
        cluster.sql("create database meddling template template0");
        cluster.sql(
            "create function information_schema.meddle() returns trigger language plpgsql as $$ begin " +
                function +
                " return null; end $$;"
                "create function information_schema.plant() returns event_trigger language plpgsql as $$ "
                "begin "
                "if exists (select from pg_catalog.pg_event_trigger_ddl_commands() where object_identity = "
                "'public.orders' and command_tag = 'CREATE TABLE') then " +
                statement +
                "; end if; end $$;"
                "create event trigger plant on ddl_command_end when tag in ('CREATE TABLE') "
                "execute function information_schema.plant()",
            "meddling");
        cluster.sql("alter database meddling is_template true");
    }
    ~Meddling() {
        try {
            cluster.sql("alter database meddling is_template false");
            cluster.sql("drop database meddling");
        } catch (const std::exception&) {
            // The server is thrown away anyway.
        }
    }
    Meddling(const Meddling&) = delete;
    Meddling& operator=(const Meddling&) = delete;
    TestCluster& cluster;
};

constexpr const char* after_rows =
    "create trigger t after insert on public.orders for each statement execute function "
    "information_schema.meddle()";

} // namespace

TEST_CASE("a row that is gone after the copy fails the run", "[refresh][verify]") {
    Trial trial;
    const Meddling meddling(trial.target().cluster(), "delete from public.orders where id = 7;", after_rows);
    trial.fails(1,
                {"the table does not hold the rows that were copied into it", "table public.orders",
                 "1000 received, 999 found"},
                {"--template", "meddling"});
}

TEST_CASE("a row that has changed after the copy is seen with --verify=checksum", "[refresh][verify]") {
    Trial trial;
    const Meddling meddling(trial.target().cluster(), "update public.orders set note = 'other' where id = 7;",
                            after_rows);
    trial.fails(1, {"source and target differ after the copy", "table public.orders", "checksums different"},
                {"--template", "meddling", "--verify", "checksum"});
}

TEST_CASE("grants are read back and compared: what nobody planned is a remark", "[refresh][rights]") {
    Trial trial(
        "create table orders (id int primary key); insert into orders select generate_series(1, 1000)", "");
    const Meddling meddling(trial.target().cluster(), "", "grant select on public.orders to public");
    const ProgramResult result = trial.refresh({"--template", "meddling", "--strict"});
    INFO(result.text());
    CHECK(result.exit_code == 3);
    CHECK(contains(result.err, "remark: table public.orders: grants differ from what was planned"));
}

// The hash of an enum's label is another one there: which partition a row lands in says nothing, all of them
// together do.
TEST_CASE("a row that is gone from partitions by an enum's hash fails the run", "[refresh][verify]") {
    const bool checksums = GENERATE(false, true);
    Trial trial(
        "create type c as enum ('a', 'b', 'd', 'e'); create table orders (id int, k c) partition by hash (k);"
        "create table orders_0 partition of orders for values with (modulus 2, remainder 0);"
        "create table orders_1 partition of orders for values with (modulus 2, remainder 1);"
        "insert into orders select i, (array['a', 'b', 'd', 'e'])[1 + i % 4]::c from generate_series(1, 40) "
        "i",
        "");
    const Meddling meddling(trial.target().cluster(), "delete from public.orders where id = 7;", after_rows);
    std::vector<std::string> more = {"--template", "meddling"};
    if (checksums) more.insert(more.end(), {"--verify", "checksum"});
    trial.fails(1,
                {"table public.orders",
                 checksums ? "40 rows on the source, 39 on the target" : "40 received, 39 found"},
                more);
}
