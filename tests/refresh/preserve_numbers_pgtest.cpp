// Values that do not fit, and numbers of sequences that only one side has, or that count down.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

TEST_CASE("a value that is none of the source's plain type is rejected, the others come", "[preserve]") {
    Pair pair(
        "create table p (id serial primary key, name text not null unique, n int, price numeric(6, 2), day "
        "date, ok boolean);"
        "insert into p (name, n) values ('s', 1);",
        R"(create table p (id serial primary key, name text not null unique, n text, price numeric, day text, ok text);
        insert into p (name, n, price, day, ok) values ('fits', '7', 1234.5, '2020-01-31', 'yes'), ('none', null, null, null, null),
            ('word', 'abc', null, null, null), ('many', '99999999999', 1, null, null), ('dear', '1', 12345.67, null, null), ('two', 'x', 99999, 'never', 'maybe'),
            ('day', null, null, '2020-02-31', null);)");
    refresh_as_planned(pair, {"--preserve", "p"});
    CHECK(pair.target().lines("select name, n, price, day, ok from p order by 1") ==
          "fits|7|1234.50|2020-01-31|t\nnone||||\ns|1|||\n");
    CHECK(rejected(pair) == "public.p|column day: its value is none of type date|1\n"
                            "public.p|column n: its value is none of type integer|3\n"
                            "public.p|column price: its value is none of type numeric(6,2)|1\n");
}

TEST_CASE("a number that only the target has is unique: the source's rows take others", "[preserve]") {
    const std::string shared = "create table c (k text primary key, v int);";
    Pair pair(shared + "insert into c (k) values ('s1'), ('s2'), ('s3'), ('s4');", shared + R"(
        alter table c add column ser serial unique, add column ident bigint generated always as identity unique, add column more serial;
        insert into c (k) values ('t1'), ('t2'), ('s2'), ('s1'), ('t5');)");
    refresh_as_planned(pair, {"--preserve", "c"});
    CHECK(pair.target().lines("select k, ser, ident, more from c where k not in ('s3', 's4') order by 1") ==
          "s1|4|4|4\ns2|3|3|3\nt1|1|1|1\nt2|2|2|2\nt5|5|5|5\n");
    CHECK(pair.target().value(
              "select count(distinct ser) + count(distinct ident) + count(distinct more) from c") == "21");
    CHECK(pair.target().value("select min(ser) > 5 from c where k in ('s3', 's4')") == "t");
    CHECK(rejected(pair).empty());
    pair.target().sql("insert into c (k) values ('new')");
    refresh_as_planned(pair, {"--preserve", "c"});
    CHECK(pair.target().value(
              "select count(distinct ser) + count(distinct ident) + count(distinct more) from c") == "24");
}

TEST_CASE("a number that only the source has: preserved rows take those that come next", "[preserve]") {
    Pair pair("create table n (code text primary key, s2 serial not null unique, i2 bigint generated always "
              "as identity unique);"
              "insert into n (code) values ('a'), ('b'), ('c');",
              "create table n (code text primary key); insert into n values ('x'), ('a'), ('y');");
    refresh_as_planned(pair, {"--preserve", "n"});
    CHECK(rejected(pair).empty());
    CHECK(pair.target().lines("select code, s2, i2 from n where code in ('a', 'b', 'c') order by 1") ==
          "a|1|1\nb|2|2\nc|3|3\n");
    CHECK(pair.target().value(
              "select min(s2) > 3 and min(i2) > 3 and count(*) = 2 from n where code in ('x', 'y')") == "t");
    CHECK(pair.target().value("select nextval('n_s2_seq') > max(s2) from n") == "t");
}

TEST_CASE("a sequence that counts down gives numbers below all", "[preserve]") {
    const std::string shared = "create table n (id int generated always as identity (increment -1 start -1) "
                               "primary key, code text not null unique);";
    Pair pair(shared + "insert into n (code) values ('a'), ('b'), ('c');",
              shared + "insert into n (code) values ('x'), ('a'), ('y'), ('z');");
    refresh_as_planned(pair, {"--preserve", "n"});
    CHECK(rejected(pair).empty());
    CHECK(pair.target().lines("select code from n order by 1") == "a\nb\nc\nx\ny\nz\n");
    CHECK(pair.target().value("select nextval('n_id_seq') < min(id) from n") == "t");
}

TEST_CASE("only rows that change count as such whose reference becomes NULL", "[preserve]") {
    const std::string shared = "create table c (id serial primary key, code text not null unique);"
                               "create table p (code text primary key, c int references c);";
    Pair pair(shared + "insert into c (code) values ('s'); insert into p values ('known', null);",
              shared + "insert into c (code) values ('t'); insert into p values ('known', 1), ('own', 1);");
    refresh_as_planned(pair, {"--preserve", "p"});
    CHECK(pair.target().lines("select code, c from p order by 1") == "known|\nown|\n");
    CHECK(pair.target().value(
              "select report #>> '{merge,tables,0,nulled}' from pgsluice.run where state = 'swapped'") ==
          "1");
}

TEST_CASE("plan counts values that the source's types do not take", "[preserve]") {
    Pair pair(
        "create type mood as enum ('ok'); create domain low as int check (value < 10);"
        "create table o (id serial primary key, name text not null unique, m mood, many mood[], l low);"
        "insert into o (name, m) values ('s', 'ok'); create table flyway_schema_history (installed_rank int "
        "primary key, version text, description text, type text, script text, checksum int, installed_by "
        "text, installed_on timestamp default now(), execution_time int, success bool);",
        R"(create type mood as enum ('ok', 'new'); create domain low as int check (value < 100);
        create table o (id serial primary key, name text not null unique, m mood, many mood[], l low);
        create table flyway_schema_history (installed_rank int primary key, version text, description text, type text, script text, checksum int, installed_by text, installed_on timestamp default now(), execution_time int, success bool);
        insert into flyway_schema_history values (1, '1', 'moods', 'SQL', 'V1__moods.sql', 1, 'app', now(), 1, true);
        insert into o (name, m, many, l) values ('t', 'ok', '{ok,null}', 9), ('new', 'new', null, null), ('many', null, '{ok,new}', null), ('high', null, null, 10), ('s', 'new', null, 1);)");
    refresh_as_planned(pair, {"--preserve", "o", "--drift=replay", "--source-is-right"});
    CHECK(pair.target().lines("select name from o order by 1") == "s\nt\n");
    CHECK(rejected(pair) == "public.o|column l: its value is none of type public.low|1\n"
                            "public.o|column m: its value is none of type public.mood|1\n"
                            "public.o|column many: its value is none of type public.mood[]|1\n");
}

TEST_CASE("a new key is none that the source has ever given", "[preserve]") {
    const std::string shared = "create table users (id serial primary key, login text not null unique);"
                               "create table trail (user_id int, what text);";
    Pair pair(shared + R"(insert into users (login) select 'gone ' || i from generate_series(1, 50) i;
        insert into trail select id, login from users; delete from users;
        insert into users (id, login) values (1, 'ann');)",
              shared + "insert into users (login) values ('eve');");
    refresh_as_planned(pair, {"--preserve", "users"});
    CHECK(pair.target().value("select id > 50 from users where login = 'eve'") == "t");
    CHECK(pair.target()
              .lines("select t.what from trail t join users u on u.id = t.user_id where u.login = 'eve'")
              .empty());
    CHECK(pair.target().value("select nextval('users_id_seq') > max(id) from users") == "t");
}

TEST_CASE("sequences: the highest of source, target and column where rows came, else the source's",
          "[preserve]") {
    std::string shared, source, target;
    for (const std::string table : {"by_source", "by_target", "by_column", "same", "plain"}) {
        shared += "create table " + table + " (id serial primary key, name text not null unique);";
        source += "insert into " + table + " (name) values ('s');";
    }
    source += "select setval('by_source_id_seq', 500);";
    target =
        R"(insert into by_source values (7, 't'); insert into by_target values (7, 't'); insert into by_column values (2000, 't');
        insert into same values (1, 's'); insert into plain values (7, 't');
        select setval('by_target_id_seq', 900), setval('same_id_seq', 900), setval('plain_id_seq', 900);)";
    Pair pair(shared + source, shared + target);
    refresh_as_planned(pair, {"--preserve", "by_source", "--preserve", "by_target", "--preserve", "by_column",
                              "--preserve", "same"});
    CHECK(
        pair.target().lines("select nextval('by_source_id_seq'), nextval('by_target_id_seq'), "
                            "nextval('by_column_id_seq'), nextval('same_id_seq'), nextval('plain_id_seq')") ==
        "501|901|2001|2|2\n");
}

TEST_CASE("a sequence that has no more numbers rejects the rows that need one", "[preserve]") {
    const std::string shared = R"(create table s (id smallint generated always as identity primary key,
        k text not null unique); create table sr (s smallint not null references s, r text, primary key (s, r));)";
    Pair pair(shared + "insert into s (k) values ('a'), ('b'); select setval('s_id_seq', 32766);",
              shared + "insert into s (k) values ('x'), ('y'), ('z'), ('b');"
                       "insert into sr select id, k from s;");
    const ProgramResult result = pair.run("refresh", {"--preserve", "s", "--preserve", "sr"});
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target().lines("select id, k, r from s left join sr on s = id order by 1") ==
          "1|a|\n2|b|b\n3|z|z\n32767|x|x\n");
    CHECK(rejected(pair) == "public.s|column id: its sequence has no number left|1\n"
                            "public.sr|reference (s): the source has no such row of public.s|1\n");
}
