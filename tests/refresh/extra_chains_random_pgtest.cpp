// Made-up rows of extras that refer to users directly and through other extras, and made-up writes while the
// run is on. Each row says whose it is; afterwards it is theirs, or says nothing.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "support/catch.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

using namespace pgsluice::tests;
using namespace std::chrono_literals;

namespace {

constexpr const char* users = "create table users (id serial primary key, login text unique not null);";
// es refers to itself by a key that moves, eb is referred to by one that may be NULL, ed has no key.
constexpr const char* extras = R"(
    create table ea (u int primary key references users, v text);
    create table eb (id int primary key, u int unique references users, v text);
    create table ec (u int primary key references ea on delete cascade, v text);
    create table ed (u int references ec on delete cascade, v text, n int);
    create table ee (id int primary key, u int references eb (u), v text);
    create table es (u int not null references ea on delete cascade, n int, boss_n int, v text, primary key (u, n),
        foreign key (u, boss_n) references es on delete cascade);
    create table et (u int primary key references ec on delete cascade, boss int references et on delete set null,
        v text, boss_v text);)";

class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    std::string source() {
        std::string sql = users;
        for (const int i : some(12))
            sql += "insert into users (login) values ('p" + std::to_string(i) + "');";
        return sql;
    }
    std::string target() {
        std::string sql = std::string(users) + extras;
        for (const int i : some(16))
            sql += "insert into users (login) values ('p" + std::to_string(i) + "');";
        return sql + "insert into ea select id, login from users where id % 5 <> 1;" + more(0) +
               "insert into et (u, v) select u, v from ec where u % 3 < 2;" + bosses();
    }
    // Rows of each table for some users who have none there.
    std::string more(int n) {
        const std::string k = std::to_string(2 + random_() % 3), from = std::to_string(n);
        return "insert into ea select id, login from users where id % " + k +
               " = 1 on conflict do nothing;"
               "insert into eb select " +
               from + " + id, id, login from users u where id % " + k +
               " = 0 and not exists (select from eb where eb.u = u.id);"
               "insert into ec select u, v from ea where u % " +
               k +
               " = 1 on conflict do nothing;"
               "insert into ed select u, v, " +
               from + " from ec where u % " + k +
               " = 1;"
               "insert into ee select " +
               from +
               " + id, u, v from eb on conflict do nothing;"
               "insert into es select u, i, null, v from ea, generate_series(1, 2) i where u % " +
               k + " = 0 on conflict do nothing; update es set boss_n = 3 - n where u % 2 = 0;";
    }
    static std::string bosses() {
        return "update et set boss = b.u, boss_v = b.v from (select u, v, row_number() over (order by u) as "
               "n from et) "
               "b, (select u, row_number() over (order by u desc) as n from et) o where o.n = b.n and o.u = "
               "et.u;";
    }
    std::string writes() {
        std::string sql;
        for (int step = 0; step < 4; ++step) sql += write(step);
        return sql;
    }

private:
    std::string write(int step) {
        const std::string k = std::to_string(3 + random_() % 4), rest = std::to_string(random_() % 3);
        const std::string some = " u % " + k + " = " + rest;
        switch (random_() % 7) {
        case 0: return more(1000 * (step + 1));
        case 1: return "delete from es where" + some + "; delete from ed where" + some + ";";
        case 2:
            return "update et set boss_v = null where boss in (select u from ec where" + some +
                   "); delete from ec where" + some + ";";
        case 3:
            return "update eb set v = v, u = u where" + some + "; update ea set v = v || '' where" + some +
                   "; update ed set n = n + 1 where" + some + "; update es set v = v where" + some + ";";
        case 4:
            return "update ee set u = q.u, v = q.v from (select u, v from eb order by id % 3, id limit 1) q;";
        case 5: return bosses();
        default: { // a person becomes another one, whom perhaps only the source knows
            const std::string from = std::to_string(random_() % 16), to = std::to_string(random_() % 16);
            std::string sql;
            for (const std::string table : {"ea", "eb", "ec", "ed", "ee", "es", "et"})
                sql += "update " + table + " set v = 'p" + to + "' where v = 'p" + from +
                       "' and not exists (select from users where login = 'p" + to + "');";
            return sql + "update et set boss_v = 'p" + to + "' where boss_v = 'p" + from +
                   "' and not exists (select from users where login = 'p" + to +
                   "');"
                   "update users set login = 'p" +
                   to + "' where login = 'p" + from + "' and not exists (select from users where login = 'p" +
                   to + "');";
        }
        }
    }
    std::vector<int> some(int of) {
        std::vector<int> all;
        for (int i = 0; i < of; ++i) all.push_back(i);
        std::shuffle(all.begin(), all.end(), random_);
        all.resize(8 + random_() % static_cast<unsigned>(of - 8));
        return all;
    }
    std::mt19937 random_;
};

// Each row with who it is at and who it says, of those `where` names.
std::string rows_sql(const std::string& where) {
    std::string sql;
    for (const std::string table : {"ea", "eb", "ec", "ed", "ee", "es"})
        sql += (sql.empty() ? "" : " union all ") + std::string("select '") + table +
               "', o.login, t.v, '' from " + table + " t left join users o on o.id = t.u where " + where;
    return "select * from (" + sql +
           " union all select 'et', o.login, t.v, coalesce(b.login, '') || ' ' || "
           "coalesce(t.boss_v, '') from et t left join users o on o.id = t.u left join users b on b.id = "
           "t.boss "
           "where " +
           where + ") q order by 1, 2, 3, 4";
}

} // namespace

TEST_CASE("made-up rows of extras stay with their people through made-up writes",
          "[preserve][late][random-chains]") {
    const auto setting = [](const char* name, unsigned otherwise) {
        const char* given = std::getenv(name);
        return given == nullptr ? otherwise : static_cast<unsigned>(std::atoi(given));
    };
    const unsigned first = setting("CHAIN_FIRST", 1), last = setting("CHAIN_LAST", 8);
    for (unsigned seed = first; seed <= last; ++seed) {
        Maker make(seed);
        const bool preserved = seed % 2 == 0;
        Pair pair(make.source(), make.target());
        std::vector<std::string> options{"--source-is-right", "--verbose", "--lock-timeout", "60s"};
        if (preserved) options.insert(options.end(), {"--preserve", "users"});
        Session writer{pair.target().conninfo()};
        writer.sql("begin");
        const std::string writes = make.writes();
        writer.sql(writes);
        Program program(pgsluice_command(pair.arguments("refresh", options)));
        for (int i = 0; i < 1200 && program.running() &&
                        program.err().find("locking the target's tables") == std::string::npos;
             ++i)
            std::this_thread::sleep_for(25ms);
        writer.sql("commit");
        const ProgramResult result = program.wait();
        INFO("seed " << seed << "\n" << writes << "\n" << result.text());
        REQUIRE(result.exit_code == 0);
        const std::string now = pair.target().superuser_conninfo();
        const std::string before =
            pair.target().cluster().superuser_conninfo(pair.target().name() + "_previous");
        if (preserved) {
            CHECK(Session{now}.lines(rows_sql("true")) == Session{before}.lines(rows_sql("true")));
            CHECK(Session{now}.lines("select conname from pg_constraint where not convalidated").empty());
            continue;
        }
        std::string known;
        for (const auto& row : pair.source().rows("select login from users"))
            known += (known.empty() ? "'" : ", '") + row[0] + "'";
        const std::string where = "t.v in (" + known + ")";
        std::string of_known = rows_sql(where);
        const std::string boss = "coalesce(b.login, '') || ' ' || coalesce(t.boss_v, '')";
        of_known.replace(of_known.find(boss), boss.size(),
                         "case when t.boss_v in (" + known + ") then " + boss + " end");
        CHECK(Session{now}.lines(of_known) == Session{before}.lines(of_known));
        // Where a parent row was set aside the value may lead nowhere, but to nobody else.
        for (const auto& [table, parent] :
             std::vector<std::pair<std::string, std::string>>{{"ea", "users p on p.id = t.u where p.login"},
                                                              {"eb", "users p on p.id = t.u where p.login"},
                                                              {"ec", "ea p on p.u = t.u where p.v"},
                                                              {"ed", "ec p on p.u = t.u where p.v"},
                                                              {"ee", "eb p on p.u = t.u where p.v"},
                                                              {"es", "ea p on p.u = t.u where p.v"},
                                                              {"et", "ec p on p.u = t.u where p.v"}})
            CHECK(Session{now}.lines("select t.*, p.* from " + table + " t join " + parent + " <> t.v") ==
                  "");
        CHECK(Session{now}.lines(
                  "select t.*, p.* from et t join et p on p.u = t.boss where p.v <> t.boss_v") == "");
    }
}
