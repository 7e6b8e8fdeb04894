// refresh while the target is in use: nothing that was committed there is lost, and what cannot be had in
// time stops the run with the target as it was (rules.md section 4).
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"
#include "support/writers.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

// `hold` has nothing that the catalog's reading would open.
constexpr const char* shared = "create table hold (id int); create table a (id int); create table b (id int);"
                               "create table item (id int primary key, text text);"
                               "insert into item select i, repeat('x', 200) from generate_series(1, 20000) i;"
                               "create index on item (text, id);";

// A refresh that waits for a lock on the source once both catalogs have been read, until let go.
class Paused {
public:
    explicit Paused(Pair& pair, std::vector<std::string> more = {}) : blocker_(pair.source().conninfo()) {
        blocker_.sql("begin");
        blocker_.sql("lock table hold in access exclusive mode");
        more.insert(more.end(), {"--verbose", "--lock-timeout", "60s"});
        program_.emplace(pgsluice_command(pair.arguments("refresh", more)));
        for (int i = 0;
             i < 1200 && program_->running() && !contains(program_->err(), "locking the source's tables");
             ++i)
            std::this_thread::sleep_for(25ms);
    }
    ProgramResult go_on() {
        blocker_.sql("rollback");
        return program_->wait();
    }

private:
    Session blocker_;
    std::optional<Program> program_;
};

constexpr const char* history =
    R"(create table flyway_schema_history (installed_rank int primary key, version varchar(50),
    description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100),
    installed_on timestamp default now(), execution_time int, success boolean);
    insert into flyway_schema_history values (1, '1', 'init', 'SQL', 'V1__init.sql', 11, 'x', now(), 5, true);)";
constexpr const char* next_migration = "insert into flyway_schema_history values (2, '2', 'next', 'SQL', "
                                       "'V2__next.sql', 22, 'x', now(), 5, true)";

} // namespace

TEST_CASE("clients write into extras through two refreshes, and every confirmed row is there",
          "[refresh][late]") {
    Pair pair(shared, std::string(shared) + people_sql);
    Writers writers(pair.target().conninfo(), 4);
    for (int round = 0; round < 2; ++round) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
    }
    std::this_thread::sleep_for(200ms);
    writers.stop();
    std::string all;
    for (const std::string& line : writers.missing(pair.target().conninfo())) all += line + "\n";
    for (const std::string& line : writers.wrong()) all += line + "\n";
    INFO(all);
    CHECK(all.empty());
    CHECK(writers.sessions() >= 4 * 3); // each swap ended them
    CHECK(pair.leftovers().empty());
    CHECK(pair.target().value("select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace "
                              "where nspname = 'pgsluice' and relname like 'late%'") == "0");
    WARN(writers.confirmed() << " transactions confirmed, " << writers.unknown() << " unanswered");
}

TEST_CASE("clients write into preserved tables, and every confirmed row is there beside the source's",
          "[refresh][late]") {
    // Serial keys of both sides collide: people of the target get new ones, their roles follow.
    Pair pair(
        std::string(shared) + people_sql +
            "insert into people (name, note) select 'prod ' || i, 'prod' from generate_series(1, 200) i;"
            "insert into person_role (person, role) select id, 'prod' from people;",
        std::string(shared) + people_sql);
    Writers writers(pair.target().conninfo(), 4);
    std::this_thread::sleep_for(500ms);
    for (int round = 0; round < 2; ++round) {
        const ProgramResult result =
            pair.run("refresh", {"--preserve", "person_role", "--preserve", "people"});
        INFO(result.text());
        REQUIRE(result.exit_code == 0);
    }
    std::this_thread::sleep_for(200ms);
    writers.stop();
    std::string all;
    for (const std::string& line : writers.missing(pair.target().conninfo())) all += line + "\n";
    for (const std::string& line : writers.wrong()) all += line + "\n";
    INFO(all);
    CHECK(all.empty());
    CHECK(
        pair.target().value("select count(*) || ' ' || count(r.id) from people p left join person_role r on "
                            "r.person = p.id where p.name like 'prod %'") == "200 200");
    CHECK(pair.target().value("select count(*) from person_role r join people p on p.id = r.person where "
                              "(r.role = 'prod') <> (p.name like 'prod %')") == "0");
    WARN(writers.confirmed() << " transactions confirmed, " << writers.unknown() << " unanswered");
}

TEST_CASE("DDL on the target during a run stops it by name, and the target stays", "[refresh][late]") {
    for (const auto& [sql, name] : std::vector<std::pair<std::string, std::string>>{
             {"create table late (id int)", "table public.late"},
             {"alter table own add column more int", "table public.own"},
             {"grant select on item to public", "table public.item"},
             {"create view seen as select 1 as one", "view public.seen"}}) {
        Pair pair(shared,
                  std::string(shared) + "create table own (id int primary key); insert into own values (1)");
        Paused run(pair);
        pair.target().sql("insert into own values (2)");
        pair.target().sql(sql);
        const ProgramResult result = run.go_on();
        INFO(result.text());
        CHECK(result.exit_code == 1);
        CHECK(contains(result.err, name));
        CHECK(contains(result.err, "HINT: "));
        CHECK(pair.target().value("select count(*) from own") == "2");
        CHECK(pair.leftovers().empty());
    }
}

TEST_CASE("rows, sequences and a truncated table of the time of the run come over", "[refresh][late]") {
    Pair pair(shared, std::string(shared) +
                          "create table own (id serial primary key, item int references item, note text);"
                          "insert into own (item, note) select i, 'early' from generate_series(1, 100) i;"
                          "create table line (text text); insert into line values ('early');"
                          "create table gone (id int primary key); insert into gone values (1), (2);"
                          "create sequence ticket; select nextval('ticket');"
                          "create view notes as select note from own;");
    const ProgramResult result = [&] {
        Paused run(pair);
        pair.target().sql("update own set note = 'late' where id <= 10; delete from own where id = 11;"
                          "insert into own (item, note) values (1, 'new'); insert into line values ('late');"
                          "truncate gone; select nextval('ticket'); analyze;");
        return run.go_on();
    }();
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    const StockDump old =
        stock_dump(pair.target().cluster().superuser_conninfo(pair.target().name() + "_previous"));
    const std::string difference = first_difference(old, stock_dump(pair.target().superuser_conninfo()));
    INFO(difference);
    CHECK(difference.empty()); // nothing else differs between source and target
    CHECK(pair.target().value("select count(*) filter (where note = 'late') || ' ' || count(*) from own") ==
          "10 100");
    CHECK(pair.target().value("select last_value from ticket") == "2");
}

TEST_CASE("somebody who does not end is named, and nothing is lost", "[refresh][late]") {
    Pair pair(shared, std::string(shared) + "create table own (id int primary key);");
    Session writer{pair.target().conninfo()};
    writer.sql("set application_name = 'a long one'; begin");
    writer.sql("insert into own values (1)");
    const ProgramResult result = pair.run("refresh", {"--lock-timeout", "200ms"});
    INFO(result.text());
    CHECK(result.exit_code == 1);
    for (const char* words : {"public.own", "a long one", "RowExclusiveLock", "--lock-timeout"})
        CHECK(contains(result.err, words));
    CHECK(pair.leftovers().empty());
    writer.sql("commit"); // its session was not ended
    CHECK(pair.run("refresh").exit_code == 0);
    CHECK(pair.target().value("select count(*) from own") == "1");
}

TEST_CASE("late rows that break a foreign key stay, and it is NOT VALID", "[refresh][late]") {
    const std::string items =
        "create table hold (id int); create table item (id int primary key); insert into item values (1);";
    Pair pair(items, items +
                         "insert into item values (2);"
                         "create table own (id int primary key, item int constraint to_item references item);"
                         "insert into own values (1, 1);");
    const ProgramResult result = [&] {
        Paused run(pair);
        pair.target().sql("insert into own values (2, 2)"); // only the target has this item
        return run.go_on();
    }();
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(contains(result.out + result.err, "foreign key to_item on public.own"));
    CHECK(pair.target().value("select string_agg(id || ':' || item, ' ' order by id) from own") == "1:1 2:2");
    CHECK(pair.target().value("select convalidated from pg_constraint where conname = 'to_item'") == "f");
    CHECK(pair.run("refresh", {"--source-is-right"}).exit_code == 0); // and again
}

TEST_CASE("a migration that is recorded during a run stops it, and the target stays", "[refresh][late]") {
    Pair pair(std::string(shared) + history, std::string(shared) + history);
    Paused run(pair);
    pair.target().sql(next_migration);
    const ProgramResult result = run.go_on();
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.err, "migration history has changed during the run"));
    CHECK(contains(result.err, "HINT: "));
    CHECK(pair.target().value("select count(*) from flyway_schema_history") == "2");
    CHECK(pair.leftovers().empty());
}

TEST_CASE("what happens after the last merge, while the swap waits for somebody, stops it, too",
          "[refresh][late][swap]") {
    for (const auto& [sql, words] : std::vector<std::pair<std::string, std::string>>{
             {"create table newer (id int)", "table public.newer"},
             {next_migration, "migration history has changed"},
             {"", ""}}) {
        Pair pair(std::string(shared) + history, std::string(shared) + history);
        std::optional<Session> administrator(std::in_place, pair.target().superuser_conninfo());
        Program run(pgsluice_command(pair.arguments("refresh", {"--verbose"})));
        for (int i = 0; i < 2400 && run.running() &&
                        !contains(run.err(), "waiting for sessions that this role may not end");
             ++i)
            std::this_thread::sleep_for(25ms);
        CHECK(run.running());
        if (!sql.empty()) pair.target().sql(sql);
        administrator.reset();
        const ProgramResult result = run.wait();
        INFO(result.text());
        CHECK(result.exit_code ==
              (sql.empty() ? 0 : 1)); // once the administrator is gone nothing is in the way
        CHECK(contains(result.err, words));
        CHECK(pair.leftovers().empty());
        if (sql.starts_with("create"))
            CHECK(pair.target().value("select to_regclass('newer') is not null") == "t");
    }
}
