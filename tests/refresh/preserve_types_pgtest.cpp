// Keys whose type differs between the sides, or between a reference and what it leads to.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

TEST_CASE("a primary key that is a uuid in prod and a number in preprod", "[preserve]") {
    const std::string login = "login text not null unique);";
    const std::string source_sql =
        "create table users (id uuid primary key default gen_random_uuid(), " + login +
        R"(create table ur (u uuid not null references users, r text, primary key (u, r));
        create table log (id serial primary key, u uuid references users, t text not null unique);
        insert into users (login) values ('root'), ('bob'); insert into ur select id, 'prod' from users;)";
    const std::string target_sql =
        "create table users (id bigserial primary key, " + login +
        R"(create table ur (u bigint not null references users, r text, primary key (u, r));
        create table log (id serial primary key, u bigint references users, t text not null unique);
        insert into users (login) values ('bob'), ('root'), ('zed');
        insert into ur select id, 'own' from users; insert into log (u, t) select id, login from users;
        create table ex (u bigint references users, l text); insert into ex select id, login from users;
        create table words (u text, l text); insert into words select id, login from users;)";
    Pair pair(source_sql, target_sql);
    SECTION("nothing preserved") {
        const ProgramResult result = pair.run("refresh");
        INFO(result.text());
        REQUIRE(result.ok());
        CHECK(pair.target().lines("select login from users order by 1") == "bob\nroot\n");
        CHECK(pair.target().lines("select * from ex order by 1") == "1|bob\n2|root\n3|zed\n");
    }
    SECTION("its rows preserved") {
        for (int run = 0; run < 2; ++run) {
            std::vector<std::string> options = {"--preserve", "users",      "--preserve",
                                                "ur",         "--preserve", "log"};
            if (run == 0) options.insert(options.end(), {"--reference", "words.u=users.id"});
            const ProgramResult result = pair.run("refresh", options);
            INFO(result.text());
            REQUIRE(result.ok());
            CHECK(rejected(pair).empty());
            CHECK(pair.target().lines("select login, r from users left join ur on u = id order by 1, 2") ==
                  "bob|own\nbob|prod\nroot|own\nroot|prod\nzed|own\n");
            CHECK(
                pair.target().lines("select t, login from log left join users on users.id = u order by 1") ==
                "bob|bob\nroot|root\nzed|zed\n");
            CHECK(pair.target().lines(
                      "select l, login from words left join users on id::text = u order by 1") ==
                  "bob|bob\nroot|root\nzed|zed\n");
            CHECK(pair.target().lines("select * from ex order by 1") == "1|bob\n2|root\n3|zed\n");
        }
    }
}

TEST_CASE("a primary key that is a number in prod and a uuid in preprod", "[preserve]") {
    const std::string ur = "not null references users, r text, primary key (u, r));";
    Pair pair(
        "create table users (id bigserial primary key, login text not null unique); create table ur (u "
        "bigint " +
            ur + "insert into users (login) values ('root'), ('bob'); insert into ur values (1, 'prod');",
        "create table users (id uuid primary key default gen_random_uuid(), login text not null unique);"
        "create table ur (u uuid " +
            ur + R"(insert into users (login) values ('bob'), ('zed'), ('yan');
        insert into ur select id, 'own' from users;)");
    const ProgramResult result = pair.run("refresh", {"--preserve", "users", "--preserve", "ur"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().lines("select login, r from users left join ur on u = id order by 1, 2") ==
          "bob|own\nroot|prod\nyan|own\nzed|own\n");
    CHECK(pair.target().value("select nextval('users_id_seq') > max(id) from users") == "t");
    CHECK(rejected(pair).empty());
}

TEST_CASE("a key without a default that is none in prod rejects its row", "[preserve]") {
    const std::string login = "login text not null unique);";
    Pair pair("create table users (id uuid primary key, " + login +
                  R"(create table ur (u uuid not null references users, r text, primary key (u, r));
        insert into users values (gen_random_uuid(), 'bob');)",
              "create table users (id bigserial primary key, " + login +
                  R"(create table ur (u bigint not null references users, r text, primary key (u, r));
        insert into users (login) values ('bob'), ('zed'); insert into ur select id, 'own' from users;)");
    const ProgramResult result = pair.run("refresh", {"--preserve", "users", "--preserve", "ur"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().lines("select login, r from users left join ur on u = id") == "bob|own\n");
    CHECK(rejected(pair) == "public.ur|reference (u): its row of public.users was rejected|1\n"
                            "public.users|column id: its value is none of type uuid|1\n");
}

TEST_CASE("--reference of a text to a number, and of numbers of several widths", "[preserve]") {
    const std::string shared = R"(create table users (id bigserial primary key, login text not null unique);
        create table aud (id serial primary key, uid text, n numeric, s smallint, t text not null unique);)";
    Pair pair(shared + "insert into users (login) values ('root'), ('bob');", shared + R"(
        insert into users (login) values ('eve'), ('bob'), ('root');
        insert into aud (uid, n, s, t) select id, id, id, login from users;
        insert into aud (uid, n, t) values ('abc', 1.5, 'nobody'), ('007', 1e30, 'nor he');
        create table ex (uid text, n numeric(10,2), l text, k int); insert into ex select id, id, login, 7 from users;
        insert into ex values ('xyz', 1.5, 'nobody', 7);)");
    std::vector<std::string> options = {"--preserve", "users", "--preserve", "aud"};
    for (const std::string reference : {"aud.uid", "aud.n", "aud.s", "ex.uid", "ex.n"})
        options.insert(options.end(), {"--reference", reference + "=users.id"});
    options.insert(options.end(), {"--reference", "ex.k=users.login"}); // it cannot hold such a key
    const ProgramResult result = refresh_as_planned(pair, options);
    CHECK(result.err.find("column k refers to has a key that it cannot hold: its values stay") !=
          std::string::npos);
    CHECK(pair.target().value("select min(k) = 7 and max(k) = 7 from ex") == "t");
    CHECK(
        pair.target().lines("select t, u.login, n.login, s.login from aud left join users u on u.id::text = "
                            "uid left join users n on n.id = n left join users s on s.id = s order by 1") ==
        "bob|bob|bob|bob\neve|eve|eve|eve\nnobody|||\nnor he|||\nroot|root|root|root\n");
    CHECK(pair.target().lines("select uid, n from aud where t like 'no%'") == "|\n|\n");
    CHECK(pair.target().lines("select l, u.login, n.login from ex left join users u on u.id::text = uid left "
                              "join users n on n.id = n order by 1") ==
          "bob|bob|bob\neve|eve|eve\nnobody||\nroot|root|root\n");
    CHECK(pair.target().lines("select uid, n from ex where l = 'nobody'") == "xyz|1.50\n");
    CHECK(rejected(pair).empty());
}

TEST_CASE("a value that is none is not taken for NULL when rows are compared", "[preserve]") {
    Pair pair(R"(create table cat (id serial primary key, n int, d date);
        create table named (id serial primary key, n int, t text);
        insert into cat (n, d) values (1, '2020-01-01'), (null, null); insert into named (n, t) values (null, 'a');)",
              R"(create table cat (id serial primary key, n text, d text);
        create table named (id serial primary key, n text, t text);
        insert into cat (n, d) values ('1', '2020-01-01'), ('x', 'y'), ('2', '2021-01-01');
        insert into named (n, t) values ('x', 'a'), (null, 'a'), ('3', 'b');)");
    refresh_as_planned(pair, {"--preserve", "cat", "--preserve", "named=n,t"});
    CHECK(pair.target().lines("select n, d from cat order by 1") == "1|2020-01-01\n2|2021-01-01\n|\n");
    CHECK(pair.target().lines("select n, t from named order by 2") == "|a\n3|b\n");
    CHECK(rejected(pair) == "public.cat|column n: its value is none of type integer|1\n"
                            "public.named|column n: its value is none of type integer|1\n");
}
