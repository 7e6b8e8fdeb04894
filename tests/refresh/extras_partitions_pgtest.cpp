// Partitions and children of inheritance that one side lacks, and what only the target has above or below
// them (rules.md section 1): prod gets its next monthly partition while preprod has a column more.
#include "support/catch.hpp"
#include "support/merged.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/text.hpp"

using namespace pgsluice::tests;

namespace {

const std::string ranges = R"(create table p(id int, k int, v text) partition by range(id);
    create table p_1 partition of p for values from (0) to (10);
)";
const std::string next_range = "create table p_2 partition of p for values from (10) to (20);\n";
const std::string range_rows = "insert into p values (1, 1, 'a'), (11, 11, 'b');\n";
const std::string list = R"(create table p(id int, k int) partition by list(id);
    create table p1 partition of p for values in (1);
)";

// Its output. The second run changes nothing.
std::string refresh_twice(const Pair& pair) {
    const ProgramResult first = pair.run("refresh");
    INFO(first.text());
    REQUIRE(first.exit_code == 0);
    const StockDump made = stock_dump(pair.target().conninfo());
    CHECK(pair.run("verify").exit_code == 0);
    const ProgramResult second = pair.run("refresh");
    INFO(second.text());
    REQUIRE(second.exit_code == 0);
    CHECK(first_difference(made, stock_dump(pair.target().conninfo())).empty());
    return first.text();
}

// "index|table|valid|parent\n"
std::string indexes(const Pair& pair) {
    return pair.target().lines(
        "select i.indexrelid::regclass, i.indrelid::regclass, i.indisvalid, "
        "coalesce(h.inhparent::regclass::text, "
        "'') from pg_index i left join pg_inherits h on h.inhrelid = i.indexrelid where "
        "i.indrelid::regclass::text "
        "like 'p%' and i.indrelid >= 16384 and i.indrelid::regclass::text not like '%.%' order by "
        "i.indexrelid::regclass::text collate \"C\"");
}

// "table|constraint\n" of a type.
std::string constraints(const Pair& pair, const std::string& type) {
    return pair.target().lines(
        "select conrelid::regclass, conname from pg_constraint where contype = '" + type +
        "' and convalidated and conrelid <> 0 and connamespace = 'public'::regnamespace "
        "order by conrelid::regclass::text collate \"C\", 2");
}

} // namespace

TEST_CASE("a new partition of prod gets the columns that only preprod has", "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + R"(
        alter table p add column extra int default 4, add column ex2 text check (ex2 <> 'q'),
            add column ex3 int generated always as (k + 1) stored, add column ex4 int not null default 5,
            add column ex5 int default 6;
        alter table p_1 alter ex5 set default 7;
        comment on column p.extra is 'more';)");
    const std::string text = refresh_twice(pair);
    CHECK_FALSE(contains(text, "not carried"));
    CHECK(pair.target().lines("select * from p order by 1") == "1|1|a|4||2|5|6\n11|11|b|4||12|5|6\n");
    CHECK(pair.target().lines(
              "select adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) from pg_attrdef where "
              "adrelid in ('p_1'::regclass, 'p_2'::regclass) and adnum in (4, 8) order by 1, 2") ==
          "p_1|4|4\np_1|8|7\np_2|4|4\np_2|8|6\n");
    CHECK(constraints(pair, "c") == "p|p_ex2_check\np_1|p_ex2_check\np_2|p_ex2_check\n");
    CHECK(pending(pair).empty());
}

TEST_CASE("a new partition of prod gets the checks and foreign keys that only preprod has",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + R"(
        alter table p add constraint ck check (k < 100);
        create table r2(id int primary key); insert into r2 values (1), (11);
        alter table p add foreign key (id) references r2;)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(constraints(pair, "c") == "p|ck\np_1|ck\np_2|ck\n");
    CHECK(constraints(pair, "f") == "p|p_id_fkey\np_1|p_id_fkey\np_2|p_id_fkey\n");
    CHECK(pending(pair).empty());
}

TEST_CASE("a check of preprod that rows of a new partition break stays NOT VALID",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows,
                    ranges + "alter table p add constraint ck check (k < 10);");
    const std::string text = refresh_twice(pair);
    CHECK(contains(text, "remark: validation of check ck on public.p"));
    CHECK(constraints(pair, "c").empty());
    CHECK(pair.target().value("select count(*) from pg_constraint where conname = 'ck'") == "3");
}

TEST_CASE("a column of preprod that cannot be added is not there in the partitions either",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + R"(
        alter table p add column bad int generated always as (10 / (k - 11)) stored, add column good int default 4;)");
    const std::string text = refresh_twice(pair);
    CHECK(contains(text, "column bad of table public.p"));
    CHECK(pair.target().lines("select * from p order by 1") == "1|1|a|4\n11|11|b|4\n");
}

TEST_CASE("a NOT NULL without default that the source's rows cannot fulfil goes from all partitions",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + R"(alter table p add column must text not null;
        alter table p add column own int default 3; alter table p_1 alter own set not null;)");
    CHECK(contains(refresh_twice(pair), "NOT NULL without a default becomes nullable"));
    CHECK(pair.target().value(
              "select count(*) from pg_attribute where attname = 'must' and not attnotnull") == "3");
    CHECK(pair.target().lines("select attrelid::regclass, attnotnull from pg_attribute where attname = 'own' "
                              "order by attrelid::regclass::text") == "p|f\np_1|t\np_2|f\n");
}

TEST_CASE("new partitions of prod may have partitions themselves", "[extras][extras-partitions]") {
    const Pair pair(ranges +
                        R"(create table p_2 partition of p for values from (10) to (20) partition by list (k);
        create table p_2a partition of p_2 for values in (11);)" +
                        range_rows,
                    ranges + R"(
        alter table p add column extra int default 4, add constraint ck check (k < 100);
        create index pi on p(k);
        create table r2(id int primary key); insert into r2 values (1), (11);
        alter table p add foreign key (id) references r2;)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(indexes(pair) == "p_1_k_idx|p_1|t|pi\np_2_k_idx|p_2|t|pi\np_2a_k_idx|p_2a|t|p_2_k_idx\npi|p|t|\n");
    CHECK(pair.target().lines("select * from p order by 1") == "1|1|a|4\n11|11|b|4\n");
    CHECK(constraints(pair, "c") == "p|ck\np_1|ck\np_2|ck\np_2a|ck\n");
    CHECK(constraints(pair, "f") == "p|p_id_fkey\np_1|p_id_fkey\np_2|p_id_fkey\np_2a|p_id_fkey\n");
}

TEST_CASE("a new child of prod inherits what only preprod has", "[extras][extras-partitions]") {
    const Pair pair(
        R"(create table a(x int); create table b(y int) inherits (a); create table c() inherits (a);
        insert into b values (1, 2); insert into c values (3);
        create table u(a int); create table t() inherits (u); insert into t values (1);)",
        R"(create table a(x int); create table b(y int) inherits (a);
        alter table a add ex int default 3, add constraint cq check (x < 100);
        create table t(a int, b int default 3); create table u(a int, c text default 'x');)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(pair.target().lines("select x, ex from a order by 1") == "1|3\n3|3\n");
    CHECK(pair.target().lines("select a, b, c from t") == "1|3|x\n");
    CHECK(constraints(pair, "c") == "a|cq\nb|cq\nc|cq\n");
    CHECK_FALSE(contains(pending(pair), "cannot"));
}

TEST_CASE("a partition that only preprod has gets the indexes and keys of prod",
          "[extras][extras-partitions]") {
    const std::string referenced = "create table r(id int primary key);\n";
    const Pair pair(list + referenced +
                        R"(create index pk on p(k); alter table p add foreign key (k) references r;
        insert into r values (5); insert into p values (1, 5);)",
                    list + referenced + "create table p9 partition of p for values in (9);");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(indexes(pair) == "p1_k_idx|p1|t|pk\np9_k_idx|p9|t|pk\npk|p|t|\n");
    CHECK(constraints(pair, "f") == "p|p_k_fkey\np1|p_k_fkey\np9|p_k_fkey\n");
}

TEST_CASE("an index that only preprod has is built for new partitions too", "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + "create index pi on p(k);");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(indexes(pair) == "p_1_k_idx|p_1|t|pi\np_2_k_idx|p_2|t|pi\npi|p|t|\n");
}

TEST_CASE("an index of preprod takes over those of the partitions that prod has",
          "[extras][extras-partitions]") {
    const std::string part = "create index p1k on p1(k);\n";
    const Pair pair(list + part, list + part + "create index pk on p(k);");
    const std::string text = refresh_twice(pair);
    CHECK_FALSE(contains(text, "not carried"));
    CHECK(indexes(pair) == "p1k|p1|t|pk\npk|p|t|\n");
    CHECK(pending(pair).empty());
}

TEST_CASE("a key that only preprod has is built for new partitions too", "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows, ranges + R"(alter table p add primary key (id);
        create table rr(p int references p);)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(indexes(pair) == "p_1_pkey|p_1|t|p_pkey\np_2_pkey|p_2|t|p_pkey\np_pkey|p|t|\n");
    CHECK(constraints(pair, "f") == "rr|rr_p_fkey\n");
}

TEST_CASE("a key that rows of a new partition break waits in pgsluice.pending",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows + "insert into p values (11, 1, 'c');",
                    ranges + "alter table p add primary key (id);");
    const std::string text = refresh_twice(pair);
    CHECK(contains(text, "could not create unique index"));
    CHECK(contains(pending(pair), "cannot constraint p_pkey on public.p\n"));
    CHECK(indexes(pair) == "p_1_pkey|p_1|t|\n");
}

TEST_CASE("what hangs on a plain table of preprod fits the partitioned one of prod",
          "[extras][extras-partitions]") {
    const Pair pair(ranges + "insert into p values (1, 1, 'a');", R"(
        create table p(id int, k int, v text, extra int default 4); create index pk_i on p(k);
        alter table p add primary key (id); create table r2(id int primary key); insert into r2 values (1);
        alter table p add foreign key (id) references r2; alter table p add constraint ck check (k < 100);)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(indexes(pair) == "p_1_k_idx|p_1|t|pk_i\np_1_pkey|p_1|t|p_pkey\np_pkey|p|t|\npk_i|p|t|\n");
    CHECK(pair.target().lines("select * from p") == "1|1|a|4\n");
    CHECK(constraints(pair, "c") == "p|ck\np_1|ck\n");
    CHECK(constraints(pair, "f") == "p|p_id_fkey\np_1|p_id_fkey\n");
}

TEST_CASE("what hangs on a partitioned table of preprod fits the plain one of prod",
          "[extras][extras-partitions]") {
    const Pair pair("create table p(id int, k int, v text); insert into p values (1, 2, null);",
                    ranges + R"(create index qi on p(k); alter table p add primary key (id);
        alter table p add column extra int default 4; create table r2(id int primary key); insert into r2 values (1);
        alter table p add foreign key (id) references r2; alter table p add constraint ck check (k < 100);)");
    const std::string text = refresh_twice(pair);
    CHECK(contains(text, "needs table public.p to be partitioned"));
    CHECK(indexes(pair) == "p_pkey|p|t|\nqi|p|t|\n");
    CHECK(pair.target().lines("select * from p") == "1|2||4\n");
    CHECK(constraints(pair, "c") == "p|ck\n");
    CHECK(constraints(pair, "f") == "p|p_id_fkey\n");
}

TEST_CASE("a default of a child that differs from that of its parent", "[extras][extras-partitions]") {
    const Pair pair(R"(create table p(b text default 'x'); create table c() inherits (p);
        alter table c alter b drop default; create table q(x int);)",
                    R"(create table p(b text default 'x', e int default 3); create table c() inherits (p);
        alter table c alter e drop default;
        create table qq(y int); create table q(x int) inherits (qq); alter table q alter y set default 3;)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(pair.target().lines(
              "select adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) from pg_attrdef where "
              "adrelid >= 16384 and adrelid::regclass::text not like '%.%' order by 1, 2") ==
          "p|1|'x'::text\np|2|3\nc|1|'x'::text\nq|2|3\n");
}

TEST_CASE("a check of preprod on a partitioned table is said to be carried once",
          "[extras][extras-partitions]") {
    const Pair pair(ranges, ranges + "alter table p add constraint ck check (k < 100);");
    const std::string text = refresh_twice(pair);
    CHECK_FALSE(contains(text, "not carried"));
    CHECK(constraints(pair, "c") == "p|ck\np_1|ck\n");
    CHECK(pending(pair).empty());
}

TEST_CASE("a partition of each side, and extras above both", "[extras][extras-partitions]") {
    const Pair pair(ranges + next_range + range_rows + "create index si on p(v);", ranges + R"(
        create table p_9 partition of p for values from (90) to (100);
        alter table p add column extra int not null default 4, add constraint ck check (k < 100);
        create index pi on p(k); create index pe on p(extra); alter table p add primary key (id);
        create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger tr before insert on p for each row execute function f();
        create table r2(id int primary key); insert into r2 values (1), (11);
        alter table p add foreign key (id) references r2; alter table p_1 alter k set default 8;)");
    CHECK_FALSE(contains(refresh_twice(pair), "not carried"));
    CHECK(pair.target().value("select count(*) from pg_index where not indisvalid") == "0");
    CHECK(pair.target().lines("select inhparent::regclass, count(*) from pg_inherits group by 1 order by "
                              "inhparent::regclass::text") == "p|3\np_pkey|3\npe|3\npi|3\nsi|3\n");
    CHECK(constraints(pair, "c") == "p|ck\np_1|ck\np_2|ck\np_9|ck\n");
    CHECK(constraints(pair, "f") == "p|p_id_fkey\np_1|p_id_fkey\np_2|p_id_fkey\np_9|p_id_fkey\n");
    CHECK(pair.target().lines("select * from p order by 1") == "1|1|a|4\n11|11|b|4\n");
    CHECK_FALSE(contains(pending(pair), "cannot"));
}
