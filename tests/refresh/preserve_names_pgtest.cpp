// Who is who where names were changed, or only one side knows them: nobody gets another's rows.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

namespace {

const std::string roles_of_users =
    "create table ur (u bigint not null references users, r text, primary key (u, r));";

// Of each user of the new database by `name` what roles they have.
std::string roles(const Pair& pair, const std::string& name) {
    return pair.target().lines("select " + name +
                               ", string_agg(r, ',' order by r) from users left join ur on u = id "
                               "group by 1 order by 1");
}

} // namespace

TEST_CASE("under another column's name nobody is known by what they have in common", "[preserve]") {
    for (const char* key : {"id bigserial primary key", "id uuid primary key default gen_random_uuid()"}) {
        const std::string type = std::string(key).find("uuid") == std::string::npos ? "bigint" : "uuid";
        const auto schema = [&](const std::string& name) {
            return "create table users (" + std::string(key) + ", " + name +
                   " text not null unique, active bool not null default true);"
                   "create table ur (u " +
                   type +
                   " not null references users, r text, primary key (u, r));"
                   "create function add(n text, r text) returns void language sql as 'with made as (insert "
                   "into "
                   "users (" +
                   name + ") values (n) returning id) insert into ur select id, r from made';";
        };
        Pair pair(schema("username") + "select add('root', 'admin'), add('bob', 'reader');",
                  schema("login") + "select add('eve', 'e'), add('bob', 't'), add('zed', 'z');");
        refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur"});
        CHECK(roles(pair, "username") == "bob|reader\nroot|admin\n");
        CHECK(rejected(pair).find("public.users|column username may not be NULL|3\n") != std::string::npos);
        CHECK(rejected(pair).find("public.ur|") != std::string::npos);
    }
}

TEST_CASE("a name that prod changes between two runs gives nobody another's roles", "[preserve]") {
    const std::string shared =
        "create table users (id bigserial primary key, login text not null unique, active bool "
        "not null default true);" +
        roles_of_users;
    Pair pair(
        shared + "insert into users (login) values ('root'), ('bob'); insert into ur values (1, 'admin');",
        shared +
            "insert into users (login) values ('root'), ('bob'), ('eve'); insert into ur values (3, 'e');");
    refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur"});
    CHECK(roles(pair, "login") == "bob|\neve|e\nroot|admin\n");
    pair.source().sql("alter table users rename login to username");
    refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur"});
    CHECK(roles(pair, "username") == "bob|\nroot|admin\n");
    CHECK(rejected(pair).find("public.ur|reference (u): ") != std::string::npos);
}

TEST_CASE("of rows that differ only in the target's own columns none is lost", "[preserve]") {
    const std::string shared = "create table doc (id bigserial primary key, kind text not null);"
                               "create table sh (d bigint references doc, who text, primary key (d, who));";
    Pair pair(
        shared + "insert into doc (kind) values ('a'), ('b'); insert into sh values (1, 'p1'), (2, 'p2');",
        shared +
            "alter table doc add title text; insert into doc (kind, title) values ('b', 'salaries'), "
            "('a', 'menu'), ('a', 'secret'), ('a', 'menu'); insert into sh values (1, 'boss'), (2, 'all'), "
            "(3, 'boss'), (4, 'more');");
    for (int run = 0; run < 2; ++run) {
        refresh_as_planned(pair, {"--preserve", "doc", "--preserve", "sh"});
        CHECK(rejected(pair).empty());
        CHECK(pair.target().lines(
                  "select kind, title, string_agg(who, ',' order by who) from doc join sh on d = id "
                  "group by id, 1, 2 order by 2") ==
              "a|menu|all,more,p1\nb|salaries|boss,p2\na|secret|boss\n");
    }
}

TEST_CASE("an assigned number of any type says nothing beside a name", "[preserve]") {
    for (const char* type : {"uid", "double precision", "real", "numeric(12, 0)", "bigint"}) {
        const std::string shared =
            "create domain whole as bigint; create domain uid as whole check (value > 0);"
            "create table users (id " +
            std::string(type) +
            " primary key, login text not null unique);"
            "create table ur (u " +
            std::string(type) + " not null references users, r text, primary key (u, r));";
        Pair pair(
            shared +
                "insert into users values (1, 'root'), (2, 'carol'); insert into ur values (1, 'admin');",
            shared +
                "insert into users values (1, 'eve'), (3, 'zed'); insert into ur values (1, 'evil'), (3, "
                "'z');");
        INFO(type);
        refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur"});
        CHECK(roles(pair, "login") == "carol|\nroot|admin\nzed|z\n");
        CHECK(rejected(pair).find("public.users|conflicts with another row on key users_pkey") !=
              std::string::npos);
    }
}

TEST_CASE("a reference whose table prod has renamed leads to nobody", "[preserve]") {
    const std::string shared =
        "create table users (id bigserial primary key, login text not null unique);"
        "create table ur (u bigint not null references users, r text, primary key (u, r));"
        "create table log (id serial primary key, u bigint references users, what text unique not null);";
    Pair pair(shared +
                  "insert into users (login) values ('root'), ('bob'); insert into ur values (1, 'admin');",
              shared + "insert into users (login) values ('root'), ('bob'), ('eve'); insert into ur values "
                       "(2, 't'), (3, "
                       "'e'); insert into log (u, what) values (3, 'came');");
    refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur", "--preserve", "log"});
    pair.source().sql("alter table users rename to people; insert into people (login) values ('carol')");
    const ProgramResult result = pair.run("refresh", {"--preserve", "ur", "--preserve", "log"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().lines("select login, r from people join ur on u = id order by 1") == "root|admin\n");
    CHECK(pair.target().lines("select what, u is null from log") == "came|t\n");
    CHECK(rejected(pair).find("public.ur|reference (u): the source has no public.users|3\n") !=
          std::string::npos);
}

TEST_CASE("a reference to one table in prod and to another one on the target leads to nobody", "[preserve]") {
    const std::string shared = "create table person (id serial primary key, name text not null unique);"
                               "create table staff (id serial primary key, name text not null unique);"
                               "create table ur (u int not null, r text, primary key (u, r));";
    Pair pair(
        shared +
            "alter table ur add foreign key (u) references person; insert into person (name) values ('ann'), "
            "('ben'); insert into ur values (1, 'admin');",
        shared +
            "alter table ur add foreign key (u) references staff; insert into staff (name) values ('sue'), "
            "('tom'); insert into ur values (2, 'boss');");
    const ProgramResult result = pair.run("refresh", {"--preserve", "ur"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().lines("select u, r from ur") == "1|admin\n");
    CHECK(rejected(pair) == "public.ur|reference (u): the source has no public.staff|1\n");
}

TEST_CASE("a reference to a table that the target lacks keeps what the source has a row for", "[preserve]") {
    const std::string shared =
        "create table users (id bigserial primary key, login text not null unique, dept int);" +
        roles_of_users;
    Pair pair(
        shared +
            "create table roles (nm text primary key); insert into roles values ('admin'), ('reader');"
            "create table depts (id bigint primary key); insert into depts values (7);"
            "alter table ur add foreign key (r) references roles; alter table users add foreign key (dept) "
            "references depts;"
            "insert into users (login) values ('root'), ('bob'); insert into ur values (1, 'admin');",
        shared + "insert into users (login, dept) values ('eve', 7), ('root', 8), ('zed', 8);"
                 "insert into ur values (1, 'reader'), (1, 'tester'), (2, 'tester'), (2, 'reader');");
    const ProgramResult result = pair.run("refresh", {"--preserve", "users", "--preserve", "ur"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(roles(pair, "login") == "bob|\neve|reader\nroot|admin,reader\nzed|\n");
    CHECK(pair.target().lines("select login, dept from users order by 1") == "bob|\neve|7\nroot|\nzed|\n");
    CHECK(rejected(pair) == "public.ur|reference (r): the source has no such row of public.roles|2\n");
}

TEST_CASE("a unique key that only the target has tells who is who where there is no other", "[preserve]") {
    const std::string shared =
        "create table users (id bigserial primary key, login text not null, n int);" + roles_of_users;
    Pair pair(shared + "insert into users (login, n) values ('root', 1), ('bob', 2); insert into ur values "
                       "(1, 'admin');",
              shared + "alter table users add unique (login); insert into users (login, n) values ('eve', "
                       "1), ('bob', 5);"
                       "insert into ur values (1, 'e'), (2, 't');");
    refresh_as_planned(pair, {"--preserve", "users", "--preserve", "ur"});
    CHECK(roles(pair, "login") == "bob|t\neve|e\nroot|admin\n");
    CHECK(rejected(pair).empty());
}

TEST_CASE("a referenced table whose names were changed is followed by nobody", "[preserve]") {
    const auto schema = [](const std::string& name) {
        return "create table roles (id serial primary key, " + name +
               " text not null unique);"
               "create table users (login text primary key, role int references roles);";
    };
    Pair pair(
        schema("code") + "insert into roles (code) values ('admin'); insert into users values ('root', 1);",
        schema("nm") + "insert into roles (nm) values ('tester'); insert into users values ('eve', 1);");
    refresh_as_planned(pair, {"--preserve", "users"});
    CHECK(pair.target().lines("select login, code from users left join roles on id = role order by 1") ==
          "eve|\nroot|admin\n");
}

TEST_CASE("a foreign key to a partition that only the target has waits for rows", "[extras]") {
    const std::string shared = "create table p (id int, v text) partition by list (id);";
    Pair pair(
        shared + "create table p1 partition of p for values in (1, 2);",
        shared +
            "create table p3 partition of p for values in (3); alter table p3 add primary key (id);"
            "create table fkx (a int references p3); insert into p3 values (3); insert into fkx values (3);");
    for (int run = 0; run < 2; ++run) {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pair.target().value("select a from fkx") == "3");
    }
}
