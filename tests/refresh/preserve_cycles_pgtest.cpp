// Preserved rows whose natural keys hold references that lead back to them: taken together they are the
// source's where they agree with the source's, and no refresh makes more of them.
#include "support/catch.hpp"
#include "support/merged.hpp"

using namespace pgsluice::tests;

namespace {

const std::string tree = R"(
    create table cat (id serial primary key, parent int not null references cat, nm text not null, unique (parent, nm));
    create table item (id serial primary key, cat int not null references cat, sku text not null unique);)";

const char* const paths = "select p.nm || '/' || c.nm from cat c join cat p on p.id = c.parent order by 1";
const char* const items =
    "select i.sku, p.nm || '/' || c.nm from item i join cat c on c.id = i.cat join cat p "
    "on p.id = c.parent order by 1";

void refresh_again(const Pair& pair, const std::vector<std::string>& options,
                   const std::vector<std::string>& queries) {
    std::vector<std::string> before;
    for (const std::string& query : queries) before.push_back(pair.target().lines(query));
    for (int run = 0; run < 2; ++run) {
        refresh_as_planned(pair, options);
        for (std::size_t k = 0; k < queries.size(); ++k) CHECK(pair.target().lines(queries[k]) == before[k]);
    }
}

} // namespace

TEST_CASE("a tree whose root is its own parent is one tree", "[preserve]") {
    const std::string source = tree + R"(
        insert into cat values (1, 1, 'root'), (2, 1, 'books'), (3, 2, 'sf'); select setval('cat_id_seq', 3);
        insert into item (cat, sku) values (3, 'dune');)";
    const std::string under = GENERATE("1", "70");
    const std::string target = tree + "insert into cat values (" + under + ", " + under + ", 'root'), (2, " +
                               under + ", 'toys'), (3, " + under + R"(, 'books'), (4, 3, 'sf'), (5, 4, 'pp'),
        (6, 6, 'attic'), (7, 6, 'books'); select setval('cat_id_seq', 70);
        insert into item (cat, sku) values (4, 'dune'), (5, 'ppitem'), (2, 'toy'), (4, 'sfpp'), (7, 'old');
        create table note (cat int references cat, txt text); insert into note select id, nm from cat;)";
    Pair pair(source, target);
    const std::vector<std::string> options = {"--preserve", "cat", "--preserve", "item"};
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(paths) ==
          "attic/attic\nattic/books\nbooks/sf\nroot/books\nroot/root\nroot/toys\nsf/pp\n");
    CHECK(pair.target().lines(items) ==
          "dune|books/sf\nold|attic/books\nppitem|sf/pp\nsfpp|books/sf\ntoy|root/toys\n");
    CHECK(pair.target().value("select count(*) from note n join cat c on c.id = n.cat and c.nm = n.txt") ==
          "7");
    CHECK(rejected(pair).empty());
    refresh_again(pair, options, {"select * from cat order by id", "select * from item order by id"});
}

TEST_CASE("such a tree that is only referred to is recognized", "[preserve]") {
    Pair pair(tree + R"(insert into cat values (1, 1, 'root'), (2, 1, 'books'), (3, 2, 'sf');
        insert into item (cat, sku) values (3, 'dune');)",
              tree + R"(insert into cat values (9, 9, 'root'), (1, 9, 'books'), (4, 1, 'sf'), (2, 2, 'attic');
        insert into item (cat, sku) values (4, 'sfpp'), (4, 'dune'), (2, 'own');)");
    const std::vector<std::string> options = {"--preserve", "item"};
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(items) == "dune|books/sf\nsfpp|books/sf\n");
    CHECK(rejected(pair) == "public.item|reference (cat): the source has no such row of public.cat|1\n");
    refresh_again(pair, options, {"select * from item order by id"});
}

TEST_CASE("keys that are nothing but references to each other", "[preserve]") {
    const std::string shared = R"(
        create table usr (id bigserial primary key, prof bigint not null unique);
        create table prof (id bigserial primary key, usr bigint not null unique references usr deferrable initially deferred, v text);
        alter table usr add foreign key (prof) references prof deferrable initially deferred;
        create table pe (id serial primary key, nm text, sp int not null unique references pe deferrable initially deferred);)";
    const std::string both =
        R"(begin; insert into usr (prof) values (1), (2); insert into prof (usr, v) values (1, 'x'), (2, 'y');
        insert into pe (nm, sp) values ('ann', 2), ('bob', 1), ('cid', 3); commit;)";
    Pair pair(shared + both, shared + both + R"(
        begin; insert into usr (prof) values (3); insert into prof (usr, v) values (3, 'own');
        insert into pe (nm, sp) values ('eve', 5), ('dan', 4); commit;)");
    const std::vector<std::string> options = {"--preserve", "usr", "--preserve", "prof", "--preserve", "pe"};
    const std::string users =
                          "select u.id, p.id, p.usr, p.v from usr u join prof p on p.id = u.prof order by 1",
                      couples = "select a.nm, b.nm from pe a join pe b on b.id = a.sp order by 1";
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(users) == "1|1|1|x\n2|2|2|y\n3|3|3|own\n");
    CHECK(pair.target().lines(couples) == "ann|bob\nbob|ann\ncid|cid\ndan|eve\neve|dan\n");
    CHECK(rejected(pair).empty());
    refresh_again(pair, options, {users, couples});

    // What the last run brought is known, whatever else has changed on either side.
    pair.source().sql("update prof set v = 'new x' where v = 'x'");
    pair.target().sql("update pe set nm = 'anna' where nm = 'ann'");
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(users) == "1|1|1|new x\n2|2|2|y\n3|3|3|own\n");
    CHECK(pair.target().lines(couples) == "ann|bob\nbob|ann\ncid|cid\ndan|eve\neve|dan\n");
}

TEST_CASE("nobody is another under a generated key that leads in a circle", "[preserve]") {
    const std::string shared =
        "create table pe (id serial primary key, nm text, sp int not null unique references pe deferrable "
        "initially deferred);";
    Pair pair(shared + "insert into pe (nm, sp) values ('ann', 2), ('bob', 1)",
              shared + "insert into pe (nm, sp) values ('eve', 2), ('dan', 1)");
    const std::string couples = "select a.nm, b.nm from pe a join pe b on b.id = a.sp order by 1";
    refresh_as_planned(pair, {"--preserve", "pe"});
    CHECK(pair.target().lines(couples) == "ann|bob\nbob|ann\ndan|eve\neve|dan\n");
    refresh_again(pair, {"--preserve", "pe"}, {couples});
}

TEST_CASE("circles through several tables are told by the names in their keys", "[preserve]") {
    const std::string shared = R"(
        create table a (id serial primary key, c int not null, nm text not null, unique (c, nm));
        create table b (id serial primary key, a int not null references a, nm text not null, unique (nm, a));
        create table c (id serial primary key, b int not null unique references b);
        alter table a add foreign key (c) references c deferrable initially deferred;)";
    const std::string circles =
        "select a.nm, b.nm from a join c on c.id = a.c join b on b.id = c.b order by 1, 2";
    Pair pair(shared + R"(begin; insert into a (c, nm) values (1, 'x'), (2, 'y'), (3, 'z');
        insert into b (a, nm) values (1, 'bx'), (2, 'by'), (3, 'bz'), (1, 'tail'); insert into c (b) values (1), (2), (3); commit;)",
              shared + R"(begin; insert into a (c, nm) values (1, 'y'), (2, 'own'), (3, 'x'), (4, 'z');
        insert into b (a, nm) values (1, 'by'), (2, 'bown'), (3, 'bx'), (4, 'other'), (3, 'tail'), (3, 'tail2');
        insert into c (b) values (1), (2), (3), (4); commit;
        create table note (c int references c, txt text); insert into note select c.id, b.nm from c join b on b.id = c.b;)");
    const std::vector<std::string> options = {"--preserve", "a", "--preserve", "b", "--preserve", "c"};
    refresh_as_planned(pair, options);
    CHECK(pair.target().lines(circles) == "own|bown\nx|bx\ny|by\nz|bz\nz|other\n");
    CHECK(pair.target().lines("select b.nm, a.nm from b join a on a.id = b.a order by 1") ==
          "bown|own\nbx|x\nby|y\nbz|z\nother|z\ntail|x\ntail2|x\n");
    CHECK(pair.target().value(
              "select count(*) from note n join c on c.id = n.c join b on b.id = c.b and b.nm = "
              "n.txt") == "4");
    CHECK(rejected(pair).empty());
    refresh_again(pair, options, {circles, "select * from a order by 1", "select * from b order by 1"});
}

TEST_CASE("in doubt a row that leads to itself stays its own", "[preserve]") {
    const std::string roots = "select id, nm from cat order by 1";
    SECTION("several in the source") {
        Pair pair(tree + "insert into cat values (1, 1, 'root'), (2, 2, 'root'), (3, 3, 'x')",
                  tree + "insert into cat values (2, 2, 'root'), (9, 9, 'root'), (3, 3, 'y'); select "
                         "setval('cat_id_seq', 9)");
        refresh_as_planned(pair, {"--preserve", "cat"});
        CHECK(pair.target().lines(roots) == "1|root\n2|root\n3|x\n9|root\n10|y\n");
        refresh_again(pair, {"--preserve", "cat"}, {roots});
    }
    SECTION("several in the target") {
        Pair pair(
            tree + "insert into cat values (1, 1, 'root')",
            tree + "insert into cat values (8, 8, 'root'), (9, 9, 'root'); select setval('cat_id_seq', 9)");
        refresh_as_planned(pair, {"--preserve", "cat"});
        CHECK(pair.target().lines(roots) == "1|root\n8|root\n9|root\n");
        refresh_again(pair, {"--preserve", "cat"}, {roots});
    }
}

TEST_CASE("circles of nullable references, and of keys that hold for some rows", "[preserve]") {
    const std::string shared = R"(
        create table fol (id serial primary key, parent int references fol, nm text not null, gone bool not null default false);
        create unique index on fol (parent, nm) where not gone;)";
    Pair pair(shared + "insert into fol (parent, nm) values (1, 'root'), (1, 'docs'), (2, 'work')",
              shared +
                  "insert into fol (id, parent, nm) values (5, 5, 'root'), (2, 5, 'docs'), (1, 2, 'own'), "
                  "(3, 2, 'work'); select setval('fol_id_seq', 5)");
    const std::string query =
        "select p.nm || '/' || f.nm from fol f join fol p on p.id = f.parent order by 1";
    refresh_as_planned(pair, {"--preserve", "fol"});
    CHECK(pair.target().lines(query) == "docs/own\ndocs/work\nroot/docs\nroot/root\n");
    refresh_again(pair, {"--preserve", "fol"}, {query});
}
