// A connection against a real server: the profile, the shapes of answers, COPY both ways, errors that help.
#include "pq/fixture.hpp"
#include "support/session.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

struct Fixture : PqFixture {
    TestDatabase database;
    pq::Connection connection = open(database.conninfo());
};

} // namespace

TEST_CASE_METHOD(PqFixture, "the session profile wins over what role and database set", "[pq]") {
    const TestDatabase database;
    database.superuser_sql("alter database " + database.name() + " set search_path = public;" +
                           "alter database " + database.name() + " set bytea_output = escape;" +
                           "alter database " + database.name() + " set datestyle = 'SQL, DMY';" +
                           "alter database " + database.name() + " set statement_timeout = '1s'");
    for (const pq::Side side : {pq::Side::source, pq::Side::target}) {
        pq::Connection connection = open(database.conninfo(), side);
        const auto show = [&](const char* name) {
            return run(connection.value("select pg_catalog.current_setting('" + std::string(name) + "')"));
        };
        CHECK(show("search_path").empty());
        CHECK(show("client_encoding") == "UTF8");
        CHECK(show("application_name") == "pgsluice");
        CHECK(show("bytea_output") == "hex");
        CHECK(show("datestyle").substr(0, 3) == "ISO");
        CHECK(show("statement_timeout") == "0");
        CHECK(show("row_security") == "off");
        CHECK(show("default_transaction_read_only") == (side == pq::Side::source ? "on" : "off"));
        CHECK(show("client_connection_check_interval") == (side == pq::Side::source ? "0" : "1s"));
        CHECK(connection.server_version() >= 130000);
        CHECK(connection.backend_pid() > 0);
        CHECK_FALSE(connection.behind_pooler());
        CHECK(connection.tls().empty());
    }
}

TEST_CASE_METHOD(Fixture, "a source session cannot write", "[pq]") {
    pq::Connection source = open(database.conninfo(), pq::Side::source);
    const Error error = error_of(source.command("create table public.t ()"));
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.sqlstate() == "25006");
}

TEST_CASE_METHOD(Fixture, "commands, rows, values, parameters", "[pq]") {
    run(connection.command(
        "create table public.t (a int, b text); insert into public.t values (1, 'x'), (2, null)"));
    const pq::Rows rows = run(connection.rows("select a, b from public.t order by a"));
    REQUIRE(rows.size() == 2);
    CHECK(rows.columns() == 2);
    CHECK(rows.column_name(1) == "b");
    CHECK(rows.at(0, "b") == "x");
    CHECK(rows.is_null(1, 1));
    CHECK_FALSE(rows.get(1, "b").has_value());
    CHECK_THROWS_AS(rows.at(0, "nothing"), Error);
    CHECK_THROWS_AS(rows.at(9, 0), Error);
    CHECK(run(connection.value("select 42")) == "42");
    CHECK(error_of(connection.value("select 1, 2")).kind() == ErrorKind::internal);
    CHECK(error_of(connection.value("select 1 where false")).kind() == ErrorKind::internal);
    const std::string hostile = "'; drop table public.t; --";
    CHECK(run(connection.rows_with("select $1::text", {hostile})).at(0, 0) == hostile);
    CHECK(run(connection.rows_with("update public.t set a = $1::int", {"7"})).rows_affected() == 2);
    CHECK(error_of(connection.rows("select 1; select 2")).sqlstate() == "42601"); // one statement only
    CHECK(error_of(connection.command(std::string("select 1\0x", 10))).kind() == ErrorKind::internal);
    CHECK(connection.usable());
}

TEST_CASE_METHOD(Fixture, "a server's error says what, where and what to do, and the connection goes on",
                 "[pq]") {
    const Error error = error_of(connection.command("select * from public.missing"));
    CHECK(error.kind() == ErrorKind::target);
    CHECK(error.sqlstate() == "42P01");
    CHECK(error.message() == "relation \"public.missing\" does not exist");
    const Error hinted = error_of(connection.command("select pg_catalog.no_such(1)"));
    CHECK_FALSE(hinted.hint().empty());
    CHECK(connection.usable());
    CHECK(run(connection.value("select 1")) == "1");
}

TEST_CASE_METHOD(Fixture, "notices are kept until taken, and counted statements grow", "[pq]") {
    CHECK(connection.take_notices().empty());
    const auto before = connection.queries_sent();
    run(connection.command("do $$ begin raise warning 'look'; end $$"));
    CHECK(connection.queries_sent() == before + 1);
    const auto notices = connection.take_notices();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].severity == "WARNING");
    CHECK(notices[0].sqlstate == "01000");
    CHECK(notices[0].message == "look");
    CHECK(connection.take_notices().empty());
}

TEST_CASE_METHOD(Fixture, "COPY OUT and COPY IN give back what they took", "[pq]") {
    run(connection.command(
        "create table public.a as select g, pg_catalog.repeat('x', g % 50) || E'\\n\\\\.' t"
        " from pg_catalog.generate_series(1, 5000) g; create table public.b (like public.a)"));
    for (const std::size_t capacity : {7UL, 4096UL, 262144UL}) {
        const std::string rows = run(copy_all(&connection, "copy public.a to stdout", capacity));
        run(connection.command("truncate public.b"));
        CHECK(run(copy_text(&connection, "copy public.b from stdin", rows)) == 5000);
        CHECK(run(connection.value("select count(*) from (table public.a except table public.b) d")) == "0");
    }
    const std::string binary =
        run(copy_all(&connection, "copy public.a to stdout (format binary)", 4096, pq::CopyFormat::binary));
    run(connection.command("truncate public.b"));
    CHECK(run(copy_text(&connection, "copy public.b from stdin (format binary)", binary)) == 5000);
    CHECK(run(copy_all(&connection, "copy (select 1 where false) to stdout", 10)).empty());
    CHECK(run(copy_text(&connection, "copy public.b from stdin", "")) == 0);
    CHECK(connection.usable());
}

TEST_CASE_METHOD(Fixture, "what is no COPY, or a failing one, is an error and no more", "[pq]") {
    CHECK(error_of(connection.copy_out("copy public.missing to stdout")).sqlstate() == "42P01");
    CHECK(run(connection.value("select 1")) == "1");
    CHECK(error_of(connection.copy_in("select 1")).kind() == ErrorKind::internal);
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Fixture, "a COPY IN that we fail leaves nothing and keeps the connection", "[pq]") {
    run(connection.command("create table public.t (a int)"));
    const auto failing = [](pq::Connection* on) -> Task<void> {
        pq::CopyIn copy = co_await on->copy_in("copy public.t from stdin");
        co_await copy.put("1\n2\n");
        co_await copy.fail("the source went away");
    };
    run(failing(&connection));
    CHECK(run(connection.value("select count(*) from public.t")) == "0");
}

TEST_CASE_METHOD(Fixture, "one operation at a time", "[pq]") {
    const auto second = [](pq::Connection* on) -> Task<void> {
        pq::CopyOut copy = co_await on->copy_out("copy (select 1) to stdout");
        co_await on->command("select 1");
    };
    CHECK(error_of(second(&connection)).kind() == ErrorKind::internal);
    CHECK(connection.broken()); // its COPY was abandoned
    CHECK(error_of(connection.command("select 1")).kind() == ErrorKind::connection);
}
