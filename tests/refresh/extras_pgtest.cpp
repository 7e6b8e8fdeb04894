// What only the target has comes along, with its rows, or waits in pgsluice.pending with its SQL (rules.md
// section 1). The oracle: stock pg_dump of the old target, restricted to the extras.
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"
#include "support/shop.hpp"
#include "support/trial.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

using namespace pgsluice::tests;

namespace {

// Each kind of extra. Nothing of it can fail.
constexpr const char* extras = R"(
create schema lab;
create type lab.colour as enum ('red', 'blue');
create domain lab.positive as int check (value > 0);
create type lab.pair as (a int, b lab.colour);
create sequence lab.tickets start 100 increment 5;
select nextval('lab.tickets'), nextval('lab.tickets');
create function lab.twice(n int) returns int language sql immutable as 'select 2 * n';
create procedure lab.nothing() language sql as 'select 1';
create table lab.feature (id serial primary key, user_id int not null references users on delete cascade,
    colour lab.colour default 'red', amount lab.positive, doubled int default lab.twice(21), note text not null,
    unique (user_id, note), check (note <> ''));
comment on table lab.feature is 'of the next release';
comment on column lab.feature.note is 'why';
insert into lab.feature (user_id, colour, amount, note) select i, 'blue', i, 'note ' || i from generate_series(1, 20) i;
create index feature_amount on lab.feature (amount) where amount > 3;
create statistics lab.feature_stats on user_id, amount from lab.feature;
create table public.audit (at timestamptz, what text, who text);
insert into audit select now(), 'said', 'me' from generate_series(1, 7);
create function note_order() returns trigger language plpgsql as
    'begin insert into public.audit values (now(), tg_op, new.id::text); return new; end';
create trigger orders_audit after insert or update on orders for each row execute function note_order();
create index users_feeling on users (feeling, name);
create view lab.happy as select u.id, u.name, f.note from users u left join lab.feature f on f.user_id = u.id
    where u.feeling = 'ok';
create view lab.happier as select * from lab.happy where note is not null;
create materialized view lab.sums as select user_id, sum(total) as total from orders group by 1;
create unique index sums_user on lab.sums (user_id);
create table public.logged (id int primary key, body text);
insert into logged select i, repeat('x', i) from generate_series(1, 300) i;
create rule no_delete as on delete to logged do instead nothing;
alter table logged enable row level security;
create policy only_small on logged for select using (id < 100);
create statistics users_stats on name, feeling from users;
alter table users add constraint users_name_long check (length(name) > 3);
alter default privileges in schema lab grant select on tables to public;
grant select on lab.happy to public;
create extension citext schema lab;
create table lab.mail (address lab.citext primary key); insert into lab.mail values ('A@b');
create type lab.span as range (subtype = int);
create aggregate lab.own_sum(int) (sfunc = int4pl, stype = int, initcond = '0');
alter table users alter column name set default 'anon';
create rule never as on delete to orders where old.id < 0 do instead nothing;
create policy everybody on users using (true);
comment on table users is 'of preprod';
comment on column orders.total is 'of preprod';
comment on constraint users_name_key on users is 'of preprod';
)";

// Entries of the old target's dump that the new one lacks or has otherwise, but for `ignored` parts of
// headings.
std::string lost(const StockDump& before, const StockDump& after,
                 const std::vector<std::string>& ignored = {}) {
    std::string text;
    for (const auto& [heading, entry] : before) {
        const bool skip = std::any_of(ignored.begin(), ignored.end(), [&](const std::string& part) {
            return heading.find(part) != std::string::npos;
        });
        if (skip) continue;
        const auto at = after.find(heading);
        if (at == after.end())
            text += "missing: " + heading + "\n";
        else if (at->second != entry)
            text += "differs: " + heading + "\n" + entry + "---\n" + at->second;
    }
    return text;
}

const std::vector<std::string> of_source = {"Name: users; Type: TABLE DATA", "Name: orders; Type: TABLE DATA",
                                            "Name: users_id_seq; Type: SEQUENCE SET",
                                            "Name: orders_id_seq; Type: SEQUENCE SET",
                                            "Name: sums; Type: MATERIALIZED VIEW DATA"};

std::string pending(const Pair& pair) {
    std::string text;
    for (const auto& row :
         pair.target().rows("select object || ' (' || why || '): ' || reason from pgsluice.pending "
                            "order by 1"))
        text += row[0] + "\n";
    return text;
}

} // namespace

TEST_CASE("extras of every kind come along with their rows, run after run, back and forth",
          "[extras][extras-all]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) +
                                                 "insert into users (name) select 'user ' || i from "
                                                 "generate_series(1, 30) i;" +
                                                 extras);
    const StockDump before = stock_dump(pair.target().conninfo());
    const ProgramResult first = pair.run("refresh", {"--source-is-right"}); // fewer tables, and no record yet
    INFO(first.text());
    REQUIRE(first.exit_code == 0);
    CHECK(lost(before, stock_dump(pair.target().conninfo()), of_source) == "");
    CHECK(lost(stock_dump(pair.source().conninfo()), stock_dump(pair.target().conninfo()),
               {"Name: users;", "orders_user_id_fkey"}) == "");
    CHECK(pending(pair) == "");
    CHECK(pair.target().value("select count(*) from lab.sums") == "50");
    CHECK(pair.target().value("select nextval('lab.feature_id_seq')") == "21");
    CHECK(pair.target().value("select nextval('lab.tickets')") == "110");
    CHECK(pair.target().value("select count(*) from lab.mail where address operator(lab.=) 'a@B'") == "1");
    CHECK(pair.leftovers().empty());

    const ProgramResult verified = pair.run("verify");
    INFO(verified.text());
    CHECK(verified.exit_code == 0);

    const ProgramResult back = pair.run("rollback");
    REQUIRE(back.exit_code == 0);
    CHECK(lost(before, stock_dump(pair.target().conninfo())) == "");
    REQUIRE(pair.run("rollback").exit_code == 0);

    pair.target().sql("insert into lab.feature (user_id, note) values (50, 'later')");
    const StockDump between = stock_dump(pair.target().conninfo());
    const ProgramResult second = pair.run("refresh");
    INFO(second.text());
    REQUIRE(second.exit_code == 0);
    CHECK(lost(between, stock_dump(pair.target().conninfo()), {"Type: SEQUENCE SET"}) == "");
    CHECK(pair.target().value("select count(*) from lab.feature") == "21");
}

TEST_CASE("a view over a column that the source lacks waits, and comes when it can",
          "[extras][extras-pending]") {
    Pair pair(std::string(shop) + shop_rows,
              std::string(shop) + "create table other (id int primary key, gone text);");
    pair.source().sql("create table other (id int primary key)");
    REQUIRE(pair.run("refresh").exit_code == 0); // other.gone is the source's to drop from here on
    pair.source().sql("alter table other add column gone text");
    REQUIRE(pair.run("refresh").exit_code == 0);
    pair.target().sql(
        "create view over_gone as select id, gone from other; create view over_view as select * from "
        "over_gone; comment on view over_gone is 'it''s here'");
    pair.source().sql("alter table other drop column gone");
    const ProgramResult result = pair.run("refresh", {"--report", "/dev/stdout"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(contains(pending(pair), "view public.over_gone (cannot): "));
    CHECK(contains(pending(pair), "view public.over_view (cannot): "));
    CHECK(contains(result.err, "over_gone"));
    CHECK(contains(result.out, "\"pending\""));
    const std::string reported = pair.target().value(
        "select report #>> '{merge,pending}' from pgsluice.run order by started desc limit 1");
    for (const char* words : {"view public.over_gone", "CREATE VIEW", "column gone of table public.other"})
        CHECK(contains(reported, words));
    const ProgramResult told = pair.run("pending");
    INFO(told.text());
    CHECK(told.exit_code == 0);
    CHECK(contains(told.out, R"(CREATE VIEW "public"."over_gone")"));
    CHECK(contains(told.out, "it''s here"));
    CHECK(contains(pair.run("pending", {"--format", "json"}).out, "\"object\""));
    CHECK(pair.run("verify").exit_code == 0);

    SECTION("a later run tries again until it works") {
        REQUIRE(pair.run("refresh").exit_code == 0);
        CHECK(contains(pending(pair), "view public.over_gone (cannot): "));
        CHECK(pair.target().value("select reason like '%42703%' from pgsluice.pending where object = "
                                  "'view public.over_gone'") == "t");
        pair.source().sql("alter table other add column gone text");
        const ProgramResult later = pair.run("refresh");
        INFO(later.text());
        REQUIRE(later.exit_code == 0);
        CHECK(pending(pair) == "");
        CHECK(pair.target().value("select count(*) from pg_views where viewname like 'over_%'") == "2");
        CHECK(pair.target().value("select obj_description('over_gone'::regclass)") == "it's here");
        REQUIRE(pair.run("refresh").exit_code == 0);
        CHECK(pair.target().value("select count(*) from pg_views where viewname like 'over_%'") == "2");
    }
    SECTION("or until a person deletes the line") {
        pair.target().sql("delete from pgsluice.pending");
        REQUIRE(pair.run("refresh").exit_code == 0);
        CHECK(pending(pair) == "");
    }
}

TEST_CASE("what prod dropped stays dropped, unless --keep names it", "[extras][extras-dropped]") {
    Pair pair(std::string(shop) + shop_rows + "create table old (id int); create table older (id int);",
              shop);
    REQUIRE(pair.run("refresh").exit_code == 0);
    pair.source().sql("drop table old; drop table older");
    pair.target().sql("create table own (id int); insert into older values (1)");
    const ProgramResult result = pair.run("refresh", {"--keep", "public.older"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value("select to_regclass('old') is null") == "t");
    CHECK(pair.target().value("select count(*) from older") == "1");
    CHECK(pair.target().value("select to_regclass('own') is not null") == "t");
}

TEST_CASE("--extras=drop leaves them behind, --extras=fail says no before any write",
          "[extras][extras-choice]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) +
                                                 "create table own (id int); insert into own values (1);"
                                                 "alter table users add column own int default 1;"
                                                 "alter type mood add value 'own';");
    const ProgramResult refused = pair.run("refresh", {"--extras", "fail"});
    INFO(refused.text());
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "table public.own"));
    CHECK(pair.target().value("select to_regnamespace('pgsluice') is null") == "t");
    const ProgramResult dropped = pair.run("refresh", {"--extras", "drop"});
    INFO(dropped.text());
    CHECK(dropped.exit_code == 0);
    CHECK(contains(dropped.err, "column own of table public.users"));
    CHECK(contains(dropped.err, "label own of enum type public.mood"));
    expect_equal_databases(pair.source(), pair.target());
}

TEST_CASE("a run that is killed in the middle leaves extras and pending lines as they were",
          "[extras][extras-kill]") {
    Pair pair(std::string(shop) + shop_rows,
              std::string(shop) +
                  "insert into users (name) select 'user ' || i from generate_series(1, 20) i;" + extras);
    REQUIRE(pair.run("refresh", {"--source-is-right"}).exit_code == 0);
    const StockDump before = stock_dump(pair.target().conninfo());
    for (const int pause : {150, 300, 450, 600, 800}) {
        Program run(pgsluice_command(pair.arguments("refresh")));
        std::this_thread::sleep_for(std::chrono::milliseconds(pause));
        run.send(SIGKILL);
        run.wait();
        CHECK(lost(before, stock_dump(pair.target().conninfo()), {"Type: SEQUENCE SET"}) == "");
    }
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(lost(before, stock_dump(pair.target().conninfo()), {"Type: SEQUENCE SET"}) == "");
    CHECK(pair.leftovers().empty());
}

TEST_CASE("what the server alone knows cannot be made waits too, and what needs it",
          "[extras][extras-refused]") {
    // An index and a generated column take immutable functions only: on the source it is volatile now.
    Pair pair(
        std::string(shop) + shop_rows +
            "create function label(n int) returns int language plpgsql volatile as 'begin return n; end'",
        std::string(shop) + R"(
        create function label(n int) returns int language plpgsql immutable as 'begin return n; end';
        insert into users (name) select 'user ' || i from generate_series(1, 5) i;
        create table made (id int primary key, user_id int references users, b int generated always as (label(id)) stored);
        insert into made select i, i from generate_series(1, 5) i;
        create index made_user on made (user_id);
        create view over_made as select * from made;
        create materialized view from_made as select count(*) as n from over_made;
        create index orders_label on orders (label(user_id));
        create table beside (id int primary key, user_id int references users); insert into beside values (1, 1);
        create table below (id int references made); insert into below values (3);)");
    const ProgramResult result = pair.run("refresh", {"--source-is-right"});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    const std::string waiting = pending(pair);
    INFO(waiting);
    CHECK(contains(waiting, "table public.made (cannot): "));
    for (const char* object :
         {"view public.over_made", "materialized view public.from_made", "index public.made_user",
          "foreign key made_user_id_fkey on public.made", "foreign key below_id_fkey on public.below",
          "constraint made_pkey on public.made"})
        CHECK(contains(waiting, std::string(object) + " (cannot): needs "));
    CHECK(contains(waiting, "index public.orders_label (cannot): "));
    CHECK(contains(result.err, "kept in pgsluice.rejected"));
    CHECK(pair.target().value(
              "select count(*) || ' ' || sum((\"row\" ->> 'user_id')::int) from pgsluice.rejected "
              "where table_name = 'public.made'") == "5 15");
    CHECK(pair.target().value("select to_regclass('made') is null") == "t");
    CHECK(pair.target().value("select count(*) from beside") == "1");
    CHECK(pair.target().value("select count(*) from below") == "1");
    CHECK(pair.target().value(
              "select convalidated from pg_constraint where conname = 'beside_user_id_fkey'") == "t");
    pair.source().sql("alter function label(int) immutable");
    const ProgramResult later = pair.run("refresh");
    INFO(later.text());
    REQUIRE(later.exit_code == 0);
    CHECK(pair.target().value("select count(*) from made") == "0");
    CHECK(pair.target().value("select to_regclass('orders_label') is not null") == "t");
}

TEST_CASE("extra tables with generated columns and references", "[extras][extras-generated]") {
    Pair pair(std::string(shop) + shop_rows, std::string(shop) + R"(
        insert into users (name) select 'user ' || i from generate_series(1, 5) i;
        create table made (id int primary key, user_id int references users, twice int generated always as (2 * id) stored);
        insert into made select i, i from generate_series(1, 5) i;)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value("select sum(twice) from made") == "30");
}

TEST_CASE("a primary key that only the target has makes columns NOT NULL, and that is no difference",
          "[extras][extras-key]") {
    Pair pair("create table plain (id int, name text); insert into plain values (1, 'a'), (2, 'b')",
              "create table plain (id int primary key, name text)");
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().value(
              "select attnotnull from pg_attribute where attrelid = 'plain'::regclass and attname = "
              "'id'") == "t");
    CHECK(pair.run("verify").exit_code == 0);
}
