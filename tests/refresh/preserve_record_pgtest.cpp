// What a run records of the source's preserved tables, and who counts as deleted there afterwards.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

namespace {

const std::vector<std::string> both = {"--preserve", "users", "--preserve", "role"};

} // namespace

TEST_CASE("deleted in prod: counted, both keys as recorded, and what refers to it is told", "[preserve]") {
    const std::string shared = R"(create table users (id serial primary key, name text not null unique);
        create table role (user_id int not null references users on delete cascade, role text not null,
            primary key (user_id, role));)";
    Pair pair(shared + R"(insert into users (name) values ('ann'), ('bea'), ('cid');
        insert into role values (1, 'dev'), (2, 'dev');)",
              shared);
    refresh_as_planned(pair, both);
    // cid is made anew under another key: not the row that the run recorded.
    pair.target().sql(R"(insert into role values (1, 'ops');
        create table notes (user_id int references users, txt text); insert into notes values (1, 'ann'), (2, 'bea');
        delete from users where name = 'cid'; insert into users (id, name) values (30, 'cid');)");
    pair.source().sql("delete from users where name in ('ann', 'cid')");
    std::vector<std::string> options = both;
    options.emplace_back("--source-is-right");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines("select id, name from users order by 1") == "2|bea\n30|cid\n");
    CHECK(pair.target().lines("select * from role") == "2|dev\n");
    CHECK(rejected(pair) ==
          "public.role|reference (user_id): the source has no such row of public.users|1\n");
    // A row of an extra keeps its value.
    CHECK(pair.target().lines("select * from notes order by 1") == "1|ann\n2|bea\n");
    CHECK(pair.target().lines("select conname from pg_constraint where not convalidated") ==
          "notes_user_id_fkey\n");
    CHECK(pair.target().value(
              "select string_agg(concat_ws(' ', t ->> 'table', t ->> 'same', t ->> 'added', t ->> 'deleted', "
              "t ->> "
              "'rejected'), ';' order by t ->> 'table') from (select report from pgsluice.run where state = "
              "'swapped' order by started desc limit 1) r, jsonb_array_elements(r.report #> "
              "'{merge,tables}') t") == "public.role 1 0 1 1;public.users 1 1 1 0");
    // The record of this run in place of the one before, of the source's rows alone.
    CHECK(pair.target().lines("select count(distinct run_id), count(*) from pgsluice.key") == "1|2\n");
}

TEST_CASE("an empty table of the source is recorded, too", "[preserve]") {
    const std::string shared = "create table users (id serial primary key, name text not null unique);"
                               "create table other (id int primary key);";
    Pair pair(shared + "insert into other values (1)", shared + "insert into users (name) values ('own')");
    const std::vector<std::string> options = {"--preserve", "users", "--source-is-right"};
    CHECK(refresh_as_planned(pair, options).err.find("no run before recorded") != std::string::npos);
    CHECK(refresh_as_planned(pair, options).err.find("no run before recorded") == std::string::npos);
    CHECK(pair.target().lines("select name from users") == "own\n");
}
