// What was written to extras' tables while a run was on comes into the new database, whatever stands there in
// its way (rules.md section 4).
#include "pq/fixture.hpp"
#include "run/journal.hpp"
#include "run/late_merge.hpp"
#include "support/catalog.hpp"
#include "support/oracle.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

struct Silent final : report::Observer {
    void on(const report::Event&) override {}
};

// A target, and beside it a new database that was made when nothing had been written yet.
struct Late : PqFixture {
    explicit Late(const std::string& sql)
        : target(TestCluster::shared(), with_sql(sql)), made(TestCluster::shared(), with_sql(sql)),
          context(options(), silent, loops, run::Sides::target) {
        made.sql("create schema pgsluice");
        input.at_start = run::fingerprint_of(read_catalog(target.conninfo()));
    }

    static DatabaseOptions with_sql(const std::string& sql) {
        DatabaseOptions options;
        options.sql = sql;
        return options;
    }
    RefreshOptions options() const {
        RefreshOptions made_options;
        made_options.connect.target = target.conninfo();
        made_options.lock_timeout = 1s;
        return made_options;
    }

    // Begins the run, has somebody write, ends it.
    void merge(std::vector<run::WatchedTable> tables, const std::string& writes) {
        input.extras = tables;
        rows.emplace(run(run::TargetRows::open(context)));
        run(rows->remember(tables));
        run(rows->end_snapshot());
        target.sql(writes);
        pq::Connection inside = open(made.conninfo());
        run(run::merge_late(context, *rows, inside, input));
    }
    void expect_equal() const {
        CHECK(made.value("select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace where "
                         "nspname = 'pgsluice'") == "0");
        expect_equal_databases(target, made);
    }

    TestDatabase target, made;
    Silent silent;
    run::Context context;
    run::LateInput input;
    std::optional<run::TargetRows> rows;
};

} // namespace

TEST_CASE("inserts, updates and deletes of any table come over, states are as before", "[late]") {
    Late late(R"(
        create extension citext;
        create table prod (id int primary key); insert into prod values (1), (2);
        create table "Own ""1" (id bigint generated always as identity primary key, name citext unique not null,
            prod int references prod, "t""x" text, twice int generated always as (2) stored);
        create table assignment (name citext not null, role text not null, at point, note json,
            primary key (name, role), foreign key (name) references "Own ""1" (name) on update cascade on delete cascade);
        create table log (line text);
        create table tree (id int primary key, parent int not null references tree on delete restrict);
        create table parts (id int not null, part int not null, v text, primary key (id, part)) partition by list (part);
        create table parts_1 partition of parts for values in (1);
        create table parts_2 partition of parts for values in (2);
        create sequence counter;
        insert into "Own ""1" (name, prod, "t""x") select 'n' || i, 1 + i % 2, 'x' from generate_series(1, 100) i;
        insert into assignment select 'n' || i, 'admin' from generate_series(1, 50) i;
        insert into log select 'line ' || i from generate_series(1, 30) i;
        insert into tree select i, greatest(1, i / 2) from generate_series(1, 20) i;
        insert into parts select i, 1 + i % 2, 'v' from generate_series(1, 20) i;
        create function refuse() returns trigger language plpgsql as $$ begin
            if current_setting('application_name') = 'pgsluice' then raise 'fired'; end if; return new; end $$;
        create trigger refuse before insert or update on "Own ""1" for each row execute function refuse();
        create trigger refuse before insert or update on parts for each row execute function refuse();
        create materialized view m as select count(*) from log;
    )");
    late.input.sequences = {{"public", "counter"}, {"public", "Own \"1_id_seq"}, {"public", "not there"}};
    late.merge({{"public", "Own \"1", {"id", "name", "prod", "t\"x"}, {"id"}},
                {"public", "assignment", {"name", "role", "at", "note"}, {"role", "name"}},
                {"public", "log", {"line"}, {}},
                {"public", "tree", {"id", "parent"}, {"id"}},
                {"public", "parts_1", {"id", "part", "v"}, {"id", "part"}},
                {"public", "parts_2", {"id", "part", "v"}, {"id", "part"}}},
               R"(
        insert into "Own ""1" (name, prod) values ('new', 2), (E'odd\t\\N\n', null);
        update "Own ""1" set name = 'N7' where name = 'n7'; -- equal for citext; cascades
        update "Own ""1" set "t""x" = null where id = 8;
        delete from "Own ""1" where id between 10 and 20; -- cascades
        insert into assignment values ('new', 'admin', '(1,1)', '{"b": 1}');
        delete from assignment where name = 'n2';
        update assignment set role = 'user' where name = 'n3';
        delete from log where line = 'line 4'; insert into log values (null), ('line 1');
        delete from tree where id = 20; insert into tree values (21, 21); update tree set parent = 21 where id = 3;
        update tree set parent = 3 where id in (4, 5); delete from tree where id = 19;
        update parts set part = 3 - part where id < 5; delete from parts where id = 20;
        update parts set v = 'w' where id = 11;
        select nextval('counter');
        )");
    late.rows.reset();
    late.target.sql("refresh materialized view m");
    late.made.sql("refresh materialized view m");
    late.expect_equal();
    CHECK(late.context.report.merge.late_rows > 20);
    bool noted = false;
    for (const auto& note : late.context.report.notes)
        noted = noted || contains(note.object, "materialized view public.m");
    CHECK(noted);
    CHECK(late.context.report.remarks.empty());
}

TEST_CASE("unique values that change hands, and ids that come back, do not stop it", "[late]") {
    Late late(R"(
        create table own (id int generated always as identity, email text primary key, place int unique);
        create table child (own text references own on delete cascade on update restrict);
        insert into own (email, place) select 'e' || i, i from generate_series(1, 10) i;
        insert into child select 'e' || i from generate_series(1, 10) i;)");
    late.input.sequences = {{"public", "own_id_seq"}};
    late.merge({{"public", "own", {"id", "email", "place"}, {"email"}}, {"public", "child", {"own"}, {}}}, R"(
        begin; update own set place = -1 where place = 1; update own set place = 1 where place = 2;
        update own set place = 2 where place = -1; commit;
        delete from own where email = 'e3'; insert into own (email, place) values ('e3', 4 + 99);
        insert into child values ('e3');)");
    late.expect_equal();
    CHECK(late.context.report.remarks.empty());
}

TEST_CASE("rows that break a foreign key come over, and it stays NOT VALID with a remark", "[late]") {
    Late late(R"(
        create table prod (id int primary key); insert into prod values (1), (2);
        create table own (id int primary key, prod int constraint to_prod references prod);
        create table shared (id int primary key, own int constraint to_own references own on delete cascade);
        insert into own values (1, 1), (2, 2); insert into shared values (1, 1);)");
    late.made.sql("delete from prod where id = 2 and false; delete from own where id = 2; delete from prod "
                  "where id = 2;"
                  "alter table own drop constraint to_prod; insert into own values (2, 2);"
                  "alter table own add constraint to_prod foreign key (prod) references prod not valid;");
    {
        pq::Connection session = late.open(late.made.conninfo());
        late.run(run::create_journal(session)); // the key waits in pgsluice.pending
    }
    late.merge({{"public", "own", {"id", "prod"}, {"id"}}},
               "insert into own values (3, 2); update own set prod = 2 where id = 2;"
               "delete from shared; delete from own where id = 1;");
    CHECK(late.made.value("select string_agg(id || ':' || prod, ' ' order by id) from own") == "2:2 3:2");
    CHECK(late.made.value("select count(*) from shared") == "1"); // the source's row stays
    CHECK(
        late.made.value("select string_agg(conname || convalidated, ' ' order by conname) from pg_constraint "
                        "where contype = 'f'") == "to_ownfalse to_prodfalse");
    REQUIRE(late.context.report.remarks.size() == 1); // to_prod was NOT VALID before
    CHECK(contains(late.context.report.remarks[0].object, "to_own"));
    CHECK(contains(late.context.report.remarks[0].sql, "VALIDATE CONSTRAINT"));
    CHECK(late.made.value("select object from pgsluice.pending") ==
          "validation of foreign key to_own on public.shared");
}

TEST_CASE("DDL in between is refused by name, before any row is merged", "[late]") {
    Late late("create table own (id int primary key);");
    late.input.extras = {{"public", "own", {"id"}, {"id"}}};
    std::string object;
    try {
        late.merge(late.input.extras, "insert into own values (1); alter table own add column more int");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::refused);
        object = error.object();
    }
    CHECK(contains(object, "table public.own"));
    CHECK(late.made.value("select count(*) from own") == "0");
    Session client{late.target.conninfo()};
    client.sql("set lock_timeout = '300ms'");
    CHECK_THROWS_AS(client.sql("insert into own values (2)"), SqlError); // until the session ends
    late.rows.reset();
    client.sql("set lock_timeout = '5s'");
    client.sql("insert into own values (2)");
}
