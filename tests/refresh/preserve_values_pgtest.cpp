// Values and rows of the target that have no place in prod's tables any more: types that take less,
// partitions that are gone, row security that hides rows from their owner.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

namespace {

const std::string users_sql = R"(
    create type st as enum ('new', 'on', 'off');
    create table users (id bigserial primary key, login text not null unique, s st not null);
    create table ur (u bigint not null references users, r text, primary key (u, r));
    insert into users (login, s) values ('root', 'on'), ('bob', 'on'); insert into ur values (1, 'admin');)";

const std::vector<std::string> users_and_roles = {"--preserve", "users", "--preserve", "ur"};

const char* const who_has_what = "select login, s, r from users left join ur on u = id order by 1, 3";

} // namespace

TEST_CASE("whom prod knows stays, whatever value of the target is none any more", "[preserve]") {
    Pair pair(users_sql, users_sql + "insert into ur values (2, 'tester');");
    refresh_as_planned(pair, users_and_roles);
    pair.source().sql("alter type st rename value 'on' to 'active'");
    pair.target().sql("insert into users (login, s) values ('zed', 'on'), ('new', 'off');"
                      "insert into ur select id, 'own' from users where login in ('zed', 'new')");
    refresh_as_planned(pair, users_and_roles);
    CHECK(pair.target().lines(who_has_what) == "bob|active|tester\nnew|off|own\nroot|active|admin\n");
    CHECK(rejected(pair) == "public.ur|reference (u): its row of public.users was rejected|1\n"
                            "public.users|column s: its value is none of type public.st|1\n");
}

TEST_CASE("a value that does not fit rejects only rows that are to be added", "[preserve]") {
    const std::string source_sql = R"(
        create domain pos as int check (value > 0); create domain must as text not null check (length(value) < 3);
        create table users (id bigserial primary key, login varchar(5) not null unique, code varchar(4), d pos, n int,
            "place" text, what must);
        insert into users (login, what) values ('bob', 'b'), ('carl', 'b');)";
    Pair pair(source_sql, R"(
        create domain pos as int; create domain must as text;
        create table users (id bigserial primary key, login text not null unique, code varchar(9), d pos, n text,
            "place" text, what must);
        insert into users (login, code, d, n, what) values ('bob', 'too long', -1, 'x', 'b'),
            ('carl', 'c', 1, '1', 'too long'), ('eve', 'too long', 1, '1', 'b'), ('fay', 'f', -1, '1', 'b'),
            ('gus', 'g', 1, 'x', 'b'), ('hal', 'h', 1, '1', 'b'), ('longer', 'l', 1, '1', 'b');
        create table ex (u bigint references users, l text); insert into ex select id, login from users;)");
    refresh_as_planned(pair, {"--preserve", "users"});
    CHECK(pair.target().lines("select login, code, d, n from users order by 1") ==
          "bob|||\ncarl|||\nhal|h|1|1\n");
    CHECK(pair.target().lines("select l, login from ex left join users on id = u order by 1") ==
          "bob|bob\ncarl|\neve|\nfay|\ngus|\nhal|hal\nlonger|\n");
    CHECK(rejected(pair) == "public.users|column code: its value does not fit|1\n"
                            "public.users|column d: its value is none of type public.pos|1\n"
                            "public.users|column login: its value does not fit|1\n"
                            "public.users|column n: its value is none of type integer|1\n"
                            "public.users|column what: its value is none of type public.must|1\n");
}

TEST_CASE("a value of the target's own column that is none any more leaves its default, and is told",
          "[preserve]") {
    Pair pair(users_sql, users_sql);
    refresh_as_planned(pair, users_and_roles);
    pair.source().sql("alter type st rename value 'on' to 'active'");
    pair.target().sql("alter table users add mood st not null default 'new', add second st;"
                      "update users set mood = 'on', second = 'off' where login = 'bob';"
                      "update users set mood = 'off', second = 'on' where login = 'root'");
    refresh_as_planned(pair, users_and_roles);
    CHECK(pair.target().lines("select login, s, mood, second from users order by 1") ==
          "bob|active|new|off\nroot|active|off|\n");
    CHECK(rejected(pair) == "public.users|column mood: its value is none of type public.st|1\n"
                            "public.users|column second: its value is none of type public.st|1\n");
}
