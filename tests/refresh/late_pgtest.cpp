// What is written to the target while a run is on (rules.md section 4): TargetRows sees every row that
// changed, whatever its types, and its locks wait, give way and name who is in the way.
#include <algorithm>
#include <thread>

#include "pq/fixture.hpp"
#include "run/fingerprint.hpp"
#include "run/target_rows.hpp"
#include "support/catalog.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

struct Silent final : report::Observer {
    void on(const report::Event&) override {}
};

DatabaseOptions with_sql(const std::string& sql) {
    DatabaseOptions options;
    options.sql = sql;
    return options;
}

struct Watch : PqFixture {
    explicit Watch(const std::string& sql, std::chrono::milliseconds lock_timeout = 10s)
        : database(TestCluster::shared(), with_sql(sql)),
          context(options_for(lock_timeout), silent, loops, run::Sides::target) {}

    RefreshOptions options_for(std::chrono::milliseconds lock_timeout) const {
        RefreshOptions made;
        made.connect.target = database.conninfo();
        made.lock_timeout = lock_timeout;
        return made;
    }

    run::TargetRows open() { return run(run::TargetRows::open(context)); }
    pq::Connection open_session() const { return PqFixture::open(database.conninfo()); }

    // What COPY gives for both queries of a table.
    std::string changed(run::TargetRows& rows, const run::WatchedTable& table) const {
        return run(copy_all(&rows.session(), "copy (" + rows.changed_rows_sql(table) + ") to stdout", 4096));
    }
    std::string deleted(run::TargetRows& rows, const run::WatchedTable& table) const {
        return run(copy_all(&rows.session(), "copy (" + rows.deleted_keys_sql(table) + ") to stdout", 4096));
    }

    TestDatabase database;
    Silent silent;
    run::Context context;
};

std::string sorted_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    std::sort(lines.begin(), lines.end());
    std::string sorted;
    for (const std::string& line : lines) sorted += line + "\n";
    return sorted;
}

} // namespace

TEST_CASE("the target's session sees every change of a table with hostile names and types", "[late]") {
    Watch watch(R"(
        create schema "od""d.s'";
        create type mood as enum ('sad', 'ok');
        create domain code as text check (value <> '');
        create collation nodet (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create table "od""d.s'"."t""bl \e.1" (
            "k 1" code collate nodet not null, "K""2" mood not null, "drop me" int, j json, x xml, p point,
            jb jsonb, f float8, r text, a mood[], g int generated always as (1) stored, b bytea,
            primary key ("k 1", "K""2"));
        alter table "od""d.s'"."t""bl \e.1" drop column "drop me";
        insert into "od""d.s'"."t""bl \e.1" ("k 1", "K""2", j, x, p, jb, f, b)
          select 'k' || i, 'ok', '{"a": 1}', '<a/>', '(1,2)', '{"a": 1.0}', 0.1, '\xff00'
            from generate_series(1, 50) i;)");
    const run::WatchedTable table{
        "od\"d.s'", "t\"bl \\e.1", {"k 1", "K\"2", "j", "x", "p", "jb", "f", "r", "a", "b"}, {"k 1", "K\"2"}};
    run::TargetRows rows = watch.open();
    watch.run(rows.remember({table}));
    const std::string t = R"("od""d.s'"."t""bl \e.1")";
    Session client{watch.database.conninfo()};
    client.sql("update " + t + R"( set j = '{"a":1}' where "k 1" = 'k1')"); // one space less
    client.sql("update " + t + " set x = '<a></a>' where \"k 1\" = 'k2'");
    client.sql("update " + t + " set p = '(1,2.0000001)' where \"k 1\" = 'k3'");
    client.sql("update " + t + " set jb = '{\"a\": 1.00}' where \"k 1\" = 'k4'");
    client.sql("update " + t + " set f = 0.1 + 1e-17 * 2 where \"k 1\" = 'k5'");
    client.sql("update " + t + " set r = '' where \"k 1\" = 'k6'");         // was NULL
    client.sql("update " + t + " set \"k 1\" = 'K7' where \"k 1\" = 'k7'"); // equal for the collation
    client.sql("update " + t + " set \"K\"\"2\" = 'sad' where \"k 1\" = 'k8'");
    client.sql("delete from " + t + " where \"k 1\" = 'k9'");
    client.sql("delete from " + t + " where \"k 1\" = 'k10'; insert into " + t +
               " (\"k 1\", \"K\"\"2\") values (E'new\\\\\\n', 'ok')");
    client.sql("update " + t + " set f = 7 where \"k 1\" = 'k11'; update " + t +
               " set f = 0.1 where \"k 1\" = 'k11'"); // as it was
    client.sql("begin; delete from " + t + "; rollback");
    watch.run(rows.lock());
    const run::TargetRows::Changes changes = watch.run(rows.find_changes(table));
    CHECK(!changes.whole);
    CHECK(changes.deleted == 4);
    // 0.1 + 2e-17 is another double only if it rounds away from 0.1: the server says.
    const bool float_changed =
        watch.database.value("select 0.1::float8 + 1e-17::float8 * 2 <> 0.1::float8") == "t";
    CHECK(changes.changed == 8 + (float_changed ? 1 : 0));
    CHECK(sorted_lines(watch.deleted(rows, table)) == "k10\tok\nk7\tok\nk8\tok\nk9\tok\n");
    const std::string changed = watch.changed(rows, table);
    for (const char* line : {"k1\tok\t{\"a\":1}\t", "k2\tok\t{\"a\": 1}\t<a></a>\t", "K7\tok\t", "k8\tsad\t",
                             "new\\\\\\n\tok\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n"}) {
        INFO(changed << "\nlacks " << line);
        CHECK(contains(changed, line));
    }
    CHECK(!contains(changed, "k11\t"));
}

TEST_CASE("a table without a key, one without columns and one of 1600 columns are watched, too", "[late]") {
    std::string wide = "create table wide (c1 int primary key";
    run::WatchedTable wide_table{"public", "wide", {"c1"}, {"c1"}};
    for (int i = 2; i <= 1600; ++i) {
        wide += ", c" + std::to_string(i) + " bool";
        wide_table.columns.push_back("c" + std::to_string(i));
    }
    Watch watch(wide + R"(); insert into wide select 1; insert into wide select 2;
        create table log (text text); insert into log values ('a'), ('a'), (null);
        create table still (text text); insert into still values ('a'), ('b');
        create table bare (); insert into bare select; insert into bare select;
        create table parent (id int primary key); create table child () inherits (parent);
        insert into parent values (1); insert into child values (2);
        create table parts (id int primary key, v int) partition by range (id);
        create table parts_1 partition of parts for values from (0) to (10);
        create table parts_2 partition of parts for values from (10) to (20);
        insert into parts values (1, 1), (2, 2), (11, 1), (12, 1);)");
    const run::WatchedTable parts{"public", "parts", {"id", "v"}, {"id"}, true};
    const run::WatchedTable log{"public", "log", {"text"}, {}}, still{"public", "still", {"text"}, {}},
        bare{"public", "bare", {}, {}}, parent{"public", "parent", {"id"}, {"id"}};
    run::TargetRows rows = watch.open();
    watch.run(rows.remember({wide_table, log}));
    watch.run(rows.remember({still, bare, parent, parts}));
    watch.database.sql("update wide set c1600 = true where c1 = 2; delete from log where ctid = '(0,1)'; "
                       "insert into still values ('c'); delete from still where text = 'c'; "
                       "insert into bare select; delete from child; "
                       "update parts set id = 13 where id = 2; update parts set v = 2 where id = 11");
    watch.run(rows.lock());
    const auto wide_changes = watch.run(rows.find_changes(wide_table));
    CHECK(wide_changes.changed == 1);
    CHECK(wide_changes.deleted == 0);
    CHECK(watch.changed(rows, wide_table).starts_with("2\t\\N\t"));
    CHECK(watch.run(rows.find_changes(log)).whole);
    CHECK(watch.changed(rows, log) == "a\n\\N\n");
    CHECK(!watch.run(rows.find_changes(still)).any());
    CHECK(watch.run(rows.find_changes(bare)).whole);
    CHECK(watch.changed(rows, bare) == "\n\n\n");
    CHECK(!watch.run(rows.find_changes(parent)).any());
    CHECK(watch.run(rows.find_changes(parts)).deleted == 1);
    CHECK(sorted_lines(watch.changed(rows, parts)) == "11\t2\n13\t2\n");
    CHECK(watch.deleted(rows, parts) == "2\n");
    Session direct{watch.database.conninfo()};
    direct.sql("set lock_timeout = '200ms'");
    CHECK_THROWS_AS(direct.sql("insert into parts_1 values (3, 3)"), SqlError);
}

TEST_CASE("the target's snapshot can be adopted, and its end lets vacuum go on", "[late]") {
    Watch watch("create table t (id int primary key); insert into t values (1);");
    run::TargetRows rows = watch.open();
    Session lane{watch.database.conninfo()};
    watch.run(rows.remember({{"public", "t", {"id"}, {"id"}}}));
    watch.database.sql("insert into t values (2)");
    lane.sql("begin isolation level repeatable read, read only");
    lane.sql("set transaction snapshot '" + rows.snapshot() + "'");
    CHECK(lane.value("select count(*) from t") == "1");
    lane.sql("commit");
    const std::string held = "select backend_xmin is not null from pg_stat_activity where pid = " +
                             std::to_string(rows.server_process());
    CHECK(watch.database.value(held) == "t");
    watch.run(rows.end_snapshot());
    watch.run(rows.end_snapshot());
    CHECK(watch.database.value(held) == "f");
}

TEST_CASE("rows that the role cannot see, or may not remember, are an error with a hint", "[late]") {
    Watch watch("create table t (id int primary key); insert into t values (1);"
                "alter table t enable row level security; alter table t force row level security;");
    {
        run::TargetRows rows = watch.open();
        const Error error = watch.error_of(rows.remember({{"public", "t", {"id"}, {"id"}}}));
        CHECK(error.sqlstate() == "42501");
        CHECK(contains(error.object(), "public.t"));
        CHECK(contains(error.hint(), "BYPASSRLS"));
    }
    watch.database.superuser_sql("alter table t no force row level security; revoke temporary on database " +
                                 watch.database.name() + " from public, app");
    run::TargetRows rows = watch.open();
    const Error error = watch.error_of(rows.remember({{"public", "t", {"id"}, {"id"}}}));
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(contains(error.hint(), "GRANT TEMPORARY ON DATABASE"));
}

TEST_CASE("the locks wait for a writer, and name one that does not end", "[late]") {
    Watch watch("create table t (id int primary key); create table u (id int primary key);", 300ms);
    run::TargetRows rows = watch.open();
    watch.run(rows.remember({{"public", "t", {"id"}, {"id"}}, {"public", "u", {"id"}, {"id"}}}));
    Session writer{watch.database.conninfo()};
    writer.sql("set application_name = 'a writer'; begin");
    writer.sql("insert into u values (1)");
    const Error error = watch.error_of(rows.lock());
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.sqlstate() == "55P03");
    CHECK(contains(error.object(), "public.u"));
    CHECK(contains(error.detail(), std::to_string(writer.backend_pid())));
    CHECK(contains(error.detail(), "a writer"));
    CHECK(contains(error.hint(), "--lock-timeout"));

    std::thread soon([&] {
        std::this_thread::sleep_for(1s);
        writer.sql("commit");
    });
    watch.run(rows.lock());
    soon.join();
    CHECK(watch.run(rows.find_changes({"public", "u", {"id"}, {"id"}})).changed == 1);
    writer.sql("set lock_timeout = '200ms'");
    CHECK_THROWS_AS(writer.sql("insert into t values (1)"), SqlError);
    CHECK(writer.value("select count(*) from t") == "0"); // readers go on
}

TEST_CASE("a client that would deadlock with the locks is not the victim", "[late]") {
    Watch watch("create table a (id int primary key); create table b (id int primary key);", 5s);
    run::TargetRows rows = watch.open();
    watch.run(rows.remember({{"public", "a", {"id"}, {"id"}}, {"public", "b", {"id"}, {"id"}}}));
    Session writer{watch.database.conninfo()};
    writer.sql("begin");
    writer.sql("insert into b values (1)"); // we get a and wait for b; the writer then wants a
    std::exception_ptr failure;
    std::thread client([&] {
        try {
            std::this_thread::sleep_for(200ms);
            writer.sql("insert into a values (1)");
            writer.sql("commit");
        } catch (...) {
            failure = std::current_exception();
        }
    });
    watch.run(rows.lock());
    client.join();
    CHECK(!failure);
    CHECK(watch.run(rows.find_changes({"public", "a", {"id"}, {"id"}})).changed == 1);
}

TEST_CASE("the fingerprint shows every kind of DDL and nothing else", "[late]") {
    Watch watch(R"(
        create table t (id int primary key, name text default 'a'); insert into t values (1);
        create view v as select id from t; create sequence s; create index on t (name);
        create materialized view m as select id from t;
        create function f() returns int language sql as 'select 1';)");
    pq::Connection session = watch.open_session();
    const auto read = [&] { return watch.run(run::read_fingerprint(session, 300ms)); };
    const run::Fingerprint before = read();
    CHECK(before.text() == run::fingerprint_of(read_catalog(watch.database.conninfo())).text());
    watch.database.sql("insert into t values (2); select nextval('s'); analyze; "
                       "refresh materialized view m; create schema pgsluice; "
                       "create table pgsluice.run (a int); truncate t; create temp table x (id int)");
    watch.database.sql("vacuum full t");
    watch.database.sql("cluster t using t_pkey; alter table t set without cluster");
    Session temporary{watch.database.conninfo()};
    temporary.sql("create temp table kept (id int)");
    CHECK_NOTHROW(run::refuse_changed_schema(before, read()));
    CHECK(read().text() == before.text());
    const std::vector<std::pair<std::string, std::string>> changes = {
        {"alter table t add column extra int", "table public.t"},
        {"alter table t alter name set default 'b'", "public.t"},
        {"create table new_one (id int)", "table public.new_one"},
        {"drop table new_one", "table public.new_one"},
        {"create or replace view v as select id + 0 as id from t", "view public.v"},
        {"create or replace function f() returns int language sql as 'select 2'", "function public.f"},
        {"comment on table t is 'words'", "table public.t"},
        {"comment on column t.name is 'words'", "table public.t"},
        {"grant select on t to public", "table public.t"},
        {"grant select (id) on v to public", "view public.v"},
        {"alter sequence s increment 2", "sequence public.s"},
        {"create index late on t (id)", "index public.late"},
        {"alter table t enable row level security", "public.t"},
        {"create policy p on t using (true)", "policy p on public.t"},
        {"create aggregate total(int) (sfunc = int4pl, stype = int)", "total"},
        {"create operator @@@ (leftarg = int, rightarg = int, function = int4pl)", "@@@"},
        {"alter database " + watch.database.name() + " set work_mem = '5MB'", "of the database"},
    };
    for (const auto& [sql, name] : changes) {
        INFO(sql);
        const run::Fingerprint start = read();
        const std::string mark = watch.run(run::catalog_mark(session));
        CHECK(watch.run(run::catalog_mark(session)) == mark);
        watch.database.sql(sql);
        CHECK(watch.run(run::catalog_mark(session)) != mark);
        std::string object;
        try {
            run::refuse_changed_schema(start, read());
        } catch (const Error& error) {
            object = error.object();
            CHECK(error.kind() == ErrorKind::refused);
        }
        CHECK(contains(object, name));
        CHECK(start.text() != read().text());
    }
    Session migration{watch.database.conninfo()};
    migration.sql("begin");
    migration.sql("alter view v rename to w");
    const Error error = watch.error_of(run::read_fingerprint(session, 300ms));
    CHECK(error.sqlstate() == "55P03");
    CHECK(contains(error.hint(), "migrates"));
}
