// Rows of the target that cannot be kept: why, and that nobody but pgsluice.rejected learns what they hold.
#include <algorithm>
#include <cctype>

#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

TEST_CASE("a reference that leads to nobody becomes NULL with a remark, or its row is rejected",
          "[preserve]") {
    const std::string shared = R"(create table c (id serial primary key, code text not null unique);
        create table p (code text primary key, c int references c);
        create table q (code text primary key, c int not null references c);
        create table r (code text primary key, q text not null references q);)";
    Pair pair(shared + "insert into c (code) values ('s'), ('both');", shared + R"(
        insert into c (code) values ('t'), ('x'), ('both');
        insert into p values ('nobody', 1), ('follows', 3); insert into q values ('nobody', 1), ('follows', 3);
        insert into r values ('of nobody', 'nobody'), ('of follows', 'follows');)");
    const ProgramResult result =
        refresh_as_planned(pair, {"--preserve", "p", "--preserve", "q", "--preserve", "r"});
    CHECK(pair.target().lines("select p.code, c.code from p left join c on c.id = p.c order by 1") ==
          "follows|both\nnobody|\n");
    CHECK(pair.target().lines("select q.code, c.code from q join c on c.id = q.c") == "follows|both\n");
    CHECK(pair.target().lines("select code from r") == "of follows\n");
    CHECK(rejected(pair) == "public.q|reference (c): the source has no such row of public.c|1\n"
                            "public.r|reference (q): its row of public.q was rejected|1\n");
    for (const std::string remark :
         {"remark: table public.p: in 1 of the target's rows a reference that leads nowhere is NULL now",
          "remark: table public.q: 1 of the target's rows could not be kept: they are in "
          "pgsluice.rejected"}) {
        INFO(remark);
        CHECK(result.err.find(remark) != std::string::npos);
    }
}

TEST_CASE("a check that cannot be computed rejects the row, and tells nobody its value", "[preserve]") {
    const std::string shared = R"(
        create table p (id serial primary key, name text not null unique, kind text, n int);
        create function fits(v text) returns bool language plpgsql immutable as $$ begin
            if length(v) > 4 then raise 'too long: %', v; end if; return true; end $$;)";
    Pair pair(
        shared +
            R"(alter table p add constraint short check (fits(kind)), add constraint part check (100 / n > 0);
        insert into p (name, kind, n) values ('prod', 'k', 1);)",
        shared + "insert into p (name, kind, n) values ('one', 'sek-kind', 1), ('two', 'k', 0), "
                 "('three', 'k', 2);");
    const ProgramResult plan = pair.run("plan", {"--preserve", "p"});
    const ProgramResult result = pair.run("refresh", {"--preserve", "p", "--report", "/dev/stdout"});
    INFO(plan.text() << result.text());
    CHECK((plan.out + plan.err + result.out + result.err).find("sek-kind") == std::string::npos);
    REQUIRE(result.exit_code == 0);
    CHECK(pair.target().lines("select name from p order by 1") == "prod\nthree\n");
    CHECK(pair.target().lines("select \"row\" ->> 'name' from pgsluice.rejected order by 1") == "one\ntwo\n");
}

TEST_CASE("no value of a row is in log, report or journal, only in pgsluice.rejected", "[preserve]") {
    const std::string shared = R"(
        create table p (id serial primary key, name text not null unique, n int, kind text not null, code text);
        create unique index p_code on p (upper(code));)";
    Pair pair(shared + R"(alter table p add constraint short check (length(kind) < 5);
        insert into p (name, n, kind, code) values ('prod', 1, 'k', 'sek-code');)",
              shared + R"(alter table p alter n type text;
        insert into p (name, n, kind, code) values ('sek-word', 'sek-n', 'k', null), ('sek-check', '1', 'sek-kind', null),
            ('sek-key', '2', 'k', 'SEK-code');
        create table own (id int primary key, p text references p (name), note text);
        insert into own values (1, 'sek-word', 'sek-note');)");
    const ProgramResult result =
        pair.run("refresh", {"--preserve", "p", "--source-is-right", "--verbose", "--report", "/dev/stdout",
                             "--log", GENERATE("text", "json")});
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    std::string all =
        result.out + result.err + pair.target().value("select string_agg(r::text, ' ') from pgsluice.run r") +
        pair.target().value("select coalesce(string_agg(p::text, ' '), '') from pgsluice.pending p");
    std::transform(all.begin(), all.end(), all.begin(), [](unsigned char c) { return std::tolower(c); });
    CHECK(all.find("sek-") == std::string::npos);
    CHECK(rejected(pair) == "public.p|breaks check short|1\n"
                            "public.p|column n: its value is none of type integer|1\n"
                            "public.p|conflicts with another row on key p_code|1\n");
    CHECK(pair.target().value("select count(*) from pgsluice.rejected where \"row\"::text ilike '%sek-%'") ==
          "3");
}

TEST_CASE("a check over the whole row rejects rows, too", "[preserve]") {
    const std::string shared = "create table u (id serial primary key, name text not null unique);"
                               "create function fine(u) returns bool language sql immutable as "
                               "'select length(($1).name) < 5';"
                               "create function label(u) returns text language sql immutable as "
                               "'select ($1).name'; create unique index on u (label(u));";
    Pair pair(shared +
                  "alter table u add constraint short check (fine(u)); insert into u (name) values ('ann');",
              shared + "insert into u (name) values ('bob'), ('longer');");
    refresh_as_planned(pair, {"--preserve", "u"});
    CHECK(pair.target().lines("select name from u order by 1") == "ann\nbob\n");
    CHECK(rejected(pair) == "public.u|breaks check short|1\n");
}

TEST_CASE("what cannot be computed for one row is computed for the others", "[preserve]") {
    const std::string shared = R"(
        create function there(v int) returns bool language plpgsql immutable as $$ begin
            if v is null then raise using errcode = 'check_violation', message = 'none'; end if; return true; end $$;
        create table p (name text primary key, n int, twice int generated always as (n * 2) stored);
        create table q (id serial primary key, doc jsonb);)";
    Pair pair(shared + R"(alter table p add check (there(twice)), add check (100 / n > 0);
        create unique index q_number on q (((doc ->> 'n')::int));
        insert into p (name, n) values ('prod', 1); insert into q (doc) values ('{"n": 1}');)",
              shared + R"(insert into p (name, n) values ('a', 1), ('b', 0), ('c', null);
        insert into q (doc) values ('{"n": "x"}'), ('{"n": 2}'), ('{"n": 1}');)");
    refresh_as_planned(pair, {"--preserve", "p", "--preserve", "q"});
    CHECK(pair.target().lines("select name, twice from p order by 1") == "a|2\nprod|2\n");
    CHECK(pair.target().lines("select doc ->> 'n' from q order by 1") == "1\n2\n");
    CHECK(rejected(pair) == "public.p|check p_n_check cannot be computed [22012]|1\n"
                            "public.p|check p_twice_check cannot be computed [23514]|1\n"
                            "public.q|key (doc) cannot be computed [22P02]|1\n");
}
