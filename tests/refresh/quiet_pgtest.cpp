// Rows put into tables that are in use: nothing of theirs fires, everything is back afterwards.
#include "pq/fixture.hpp"
#include "run/quiet_tables.hpp"
#include "support/oracle.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;
using run::ForeignKeyName;
using run::QuietTables;

namespace {

// A parent and a child that refer to each other, with everything that stands in the way of rows.
constexpr const char* busy_tables = R"(
    create schema "s ""1";
    create table "s ""1"."par'ent" (id int generated always as identity primary key, boss int, child int,
        name text unique);
    create table child (id int primary key, parent int not null, note text);
    create table part (id int, parent int, primary key (id)) partition by range (id);
    create table part_1 partition of part for values from (0) to (10);
    create table part_2 partition of part for values from (10) to (20);
    insert into "s ""1"."par'ent" (name) values ('one');
    insert into child values (1, 1);
    alter table "s ""1"."par'ent" add constraint "boss fk" foreign key (boss) references "s ""1"."par'ent"
        deferrable, add foreign key (child) references child deferrable initially deferred;
    alter table child add constraint of_parent foreign key (parent) references "s ""1"."par'ent" on delete cascade;
    alter table part add foreign key (parent) references "s ""1"."par'ent";
    comment on constraint of_parent on child is 'it''s kept';
    create function refuse() returns trigger language plpgsql as $$ begin raise 'fired'; end $$;
    create trigger a before insert or update or delete on "s ""1"."par'ent" for each row execute function refuse();
    create trigger "b b" before insert on "s ""1"."par'ent" execute function refuse();
    alter table "s ""1"."par'ent" enable always trigger "b b";
    create trigger c before insert on child execute function refuse();
    alter table child disable trigger c;
    create constraint trigger d after insert on child for each row execute function refuse();
    alter table child enable replica trigger d;
    create trigger e before insert on part for each row execute function refuse();
    create rule "r r" as on insert to child do instead nothing;
    alter table child enable row level security, force row level security;
    create policy none on child using (false);)";

const std::vector<merge::TableName> both = {{"s \"1", "par'ent"}, {"public", "child"}, {"public", "part"}};

struct Quiet : PqFixture {
    Quiet() : database(TestCluster::shared(), with_sql(busy_tables)), session(open(database.conninfo())) {}
    static DatabaseOptions with_sql(const std::string& sql) {
        DatabaseOptions options;
        options.sql = sql;
        return options;
    }
    StockDump schema() const {
        StockDump dump = stock_dump(database.superuser_conninfo());
        std::erase_if(dump, [](const auto& entry) {
            return entry.first.find("TABLE DATA") != std::string::npos ||
                   entry.first.find("SEQUENCE SET") != std::string::npos;
        });
        return dump;
    }
    TestDatabase database;
    pq::Connection session;
};

} // namespace

TEST_CASE("rows go into tables at rest, in any order, and each state is back as it was", "[late][quiet]") {
    Quiet quiet;
    const StockDump before = quiet.schema();
    QuietTables tables = quiet.run(QuietTables::begin(quiet.session, both));
    for (const std::string sql : {
             "insert into public.child select 2, 2, 'before its parent'",
             "insert into \"s \"\"1\".\"par'ent\" (id, boss, child, name) overriding system value "
             "values (2, 3, 2, 'two'), (3, 2, 2, 'three')",
             "update \"s \"\"1\".\"par'ent\" set id = 7 where id = 3",
             "update \"s \"\"1\".\"par'ent\" set boss = 7 where id = 2",
             "insert into public.part values (1, 7)",
             "delete from public.child where id = 1",
         })
        quiet.run(quiet.session.command(sql));
    quiet.run(tables.commit());
    const std::string difference = first_difference(before, quiet.schema());
    INFO(difference);
    CHECK(difference.empty());
    CHECK(quiet.database.value("select string_agg(id || ':' || parent, ' ') from child") == "2:2");
    CHECK(quiet.database.value("select count(*) from part") == "1");
    Session client{quiet.database.conninfo()};
    CHECK_THROWS_AS(client.sql("insert into part values (2, 7)"), SqlError);
    CHECK(client.value("select count(*) from child") == "0"); // the policy
}

TEST_CASE("a row that breaks a foreign key is found at the end, and the key can be set aside",
          "[late][quiet]") {
    Quiet quiet;
    const StockDump before = quiet.schema();
    const std::string orphan = "insert into public.child values (9, 99)";
    QuietTables tables = quiet.run(QuietTables::begin(quiet.session, both));
    quiet.run(quiet.session.command(orphan));
    const Error error = quiet.error_of(tables.commit());
    CHECK(error.sqlstate() == "23503");
    quiet.run(tables.rollback());
    CHECK(first_difference(before, quiet.schema()).empty());
    const std::set<ForeignKeyName> of_parent = {{{"public", "child"}, "of_parent"}};
    CHECK(quiet.run(QuietTables::broken(quiet.session, error, both)) == of_parent);
    CHECK(quiet.run(QuietTables::acting_on(quiet.session, both)) == of_parent);

    QuietTables again = quiet.run(QuietTables::begin(quiet.session, both, of_parent));
    quiet.run(quiet.session.command(orphan));
    const std::string gone = "delete from \"s \"\"1\".\"par'ent\" where id = 1"; // its action rests
    quiet.run(quiet.session.command(gone));
    quiet.run(again.commit());
    CHECK(again.to_validate() == of_parent);
    CHECK(quiet.database.value("select count(*) from child") == "2");
    CHECK(quiet.database.value(
              "select convalidated || obj_description(oid, 'pg_constraint') from pg_constraint "
              "where conname = 'of_parent'") == "falseit's kept");
    quiet.database.superuser_sql("update pg_constraint set convalidated = true where conname = 'of_parent'");
    CHECK(first_difference(before, quiet.schema()).empty());
}
