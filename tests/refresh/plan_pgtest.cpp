// `pgsluice plan` against a real pair: says what refresh would do, and does nothing.
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/pair.hpp"
#include "support/session.hpp"

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <set>
#include <thread>

using namespace pgsluice::tests;

namespace {

boost::json::object plan_json(Pair& pair, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--format", "json"});
    const ProgramResult result = pair.run("plan", more);
    INFO(result.text());
    REQUIRE(result.out.starts_with("{"));
    return boost::json::parse(result.out).as_object();
}

// The list's strings, or one member of its objects, as a set.
std::set<std::string> names(const boost::json::value& list, const char* member = nullptr) {
    std::set<std::string> found;
    for (const boost::json::value& item : list.as_array())
        found.emplace((member == nullptr ? item : item.at(member)).as_string());
    return found;
}

using Names = std::set<std::string>;

std::string history(const std::string& rows) {
    return "create table flyway_schema_history (installed_rank int primary key, version varchar(50), "
           "description "
           "varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), "
           "installed_on timestamp default now(), execution_time int, success boolean);"
           "insert into flyway_schema_history (installed_rank, version, description, type, checksum, "
           "success) "
           "values " +
           rows + ";";
}

} // namespace

TEST_CASE("plan names objects, columns and labels that only one side has, and drift", "[plan]") {
    Pair pair(R"(
        create type mood as enum ('sad', 'new', 'ok'); create type pair as (a int, b text);
        create table users (id int primary key, name text, added text, feeling mood);
        create table only_here (id int); create view names as select name, id from users;
        create function f() returns int language sql as 'select 1';)",
              R"(
        create type mood as enum ('sad', 'ok', 'happy'); create type pair as (a int, c text);
        create table users (id int primary key, name text, own int, feeling mood);
        create table "Feature ""x""" (id int references users); create view names as select name, own from users;
        create index by_name on users (name); create function f() returns int language sql as 'select 2';
        insert into users (id, name) values (1, 'x'); analyze;)");
    const boost::json::object plan = plan_json(pair);
    CHECK(names(plan.at("only_source")) == Names{"table public.only_here"});
    CHECK(names(plan.at("only_target")) ==
          Names{"table public.Feature \"x\"", "foreign key Feature \"x\"_id_fkey on public.Feature \"x\"",
                "index public.by_name", "column own of table public.users",
                "attribute c of composite type public.pair", "label happy of enum type public.mood"});
    CHECK(names(plan.at("drift"), "object") == Names{"composite type public.pair", "enum type public.mood",
                                                     "function public.f()", "table public.users",
                                                     "view public.names"});
    const auto& users = plan.at("columns").as_array().at(1).as_object();
    CHECK(users.at("table") == "public.users");
    CHECK(names(users.at("only_source")) == Names{"added"});
    CHECK(names(users.at("only_target")) == Names{"own"});
    CHECK(names(plan.at("enum_labels").as_array().at(0).at("only_target")) == Names{"happy"});
    CHECK(names(plan.at("enum_labels").as_array().at(0).at("only_source")) == Names{"new"});
    CHECK(plan.at("would_run").as_bool());
    CHECK(names(plan.at("losing"), "table") == Names{"public.users"});

    const ProgramResult text = pair.run("plan");
    INFO(text.text());
    CHECK(text.out.find("select 2") != std::string::npos); // both definitions are shown
    CHECK(text.out.find("Feature \"x\"") != std::string::npos);
    CHECK_FALSE(plan_json(pair, {"--extras", "fail"}).at("would_run").as_bool());
    // A column or label alone is an extra as well.
    pair.target().sql("drop table \"Feature \"\"x\"\"\"; drop index by_name");
    CHECK(pair.run("refresh", {"--extras", "fail"}).exit_code == 1);
}

TEST_CASE("what the last run brought and the source dropped since is no extra", "[plan][refresh]") {
    Pair pair("create table stays (id int, gone int); create table goes (id int primary key);"
              "create type mood as enum ('a', 'b')",
              "");
    REQUIRE(pair.run("refresh").exit_code == 0);
    pair.source().sql("drop table goes; alter table stays drop column gone; drop type mood;"
                      "create type mood as enum ('a')");
    const boost::json::object plan = plan_json(pair);
    CHECK(names(plan.at("only_target")).empty());
    CHECK(names(plan.at("dropped_in_prod")) ==
          Names{"table public.goes", "constraint goes_pkey on public.goes",
                "column gone of table public.stays", "label b of enum type public.mood"});
    CHECK(plan.at("would_run").as_bool());
    CHECK_FALSE(plan.at("recorded_run").as_string().empty());
    pair.target().sql("create table made_here ()");
    CHECK(names(plan_json(pair).at("only_target")) == Names{"table public.made_here"});
    pair.target().sql("drop table made_here");
    const ProgramResult text = pair.run("plan");
    CHECK(text.out.find("ropped on the source since " + std::string(plan.at("recorded_at").as_string())) !=
          std::string::npos);
    CHECK(text.out.find("table public.goes") != std::string::npos);
    const ProgramResult result = pair.run("refresh");
    INFO(result.text());
    REQUIRE(result.exit_code == 0);
    CHECK(result.err.find("table public.goes: dropped on the source since") != std::string::npos);
    expect_equal_databases(pair.source(), pair.target());
}

TEST_CASE("plan compares migration histories by version and checksum", "[plan]") {
    const std::string one = "(1, '1', 'first', 'SQL', 11, true)", two = "(2, '2', 'second', 'SQL', 22, true)",
                      failed = "(3, '3', 'third', 'SQL', 33, false)",
                      repeatable = "(4, null, 'views', 'SQL', 44, true)",
                      other = "(2, '2', 'second', 'SQL', 99, true)";
    const auto compare = [](const std::string& source, const std::string& target) {
        Pair pair(history(source), history(target));
        const boost::json::object plan = plan_json(pair);
        return plan.at("migrations").as_array().at(0).as_object();
    };
    CHECK(compare(one + "," + two, two.substr(0, 1) + "5" + two.substr(2) + "," + one).at("equal").as_bool());
    const auto ahead = compare(one, one + "," + two);
    CHECK(ahead.at("table") == "public.flyway_schema_history");
    CHECK(names(ahead.at("only_target"), "version") == Names{"2"});
    CHECK_FALSE(ahead.at("equal").as_bool());
    CHECK(names(compare(one + "," + two, one).at("only_source"), "description") == Names{"second"});
    CHECK(names(compare(one + "," + two, one + "," + other).at("different_checksum"), "version") ==
          Names{"2"});
    const auto odd = compare(one + "," + failed + "," + repeatable, one);
    CHECK(odd.at("equal").as_bool());
    CHECK(names(odd.at("failed_or_repeatable"), "description") == Names{"third", "views"});
}

TEST_CASE("plan changes nothing and locks no table", "[plan]") {
    ClusterOptions logging;
    logging.settings = {"log_statement=all", "log_line_prefix=%d "};
    TestCluster cluster(logging);
    DatabaseOptions options;
    options.sql =
        "create table t (id int primary key, v text); insert into t select i, 'x' from generate_series(1, "
        "100) "
        "i; create table locked (id int); do $$ begin for i in 1..1500 loop execute format('create view v_%s "
        "as select * from t', i); end loop; end $$";
    TestDatabase source(cluster, options), target(cluster, options);
    target.sql("create table extra ()");
    const StockDump before_source = stock_dump(source.superuser_conninfo());
    const StockDump before_target = stock_dump(target.superuser_conninfo());
    const std::vector<std::string> databases = cluster.databases();
    const std::size_t log_before = cluster.log().size();

    // A table that somebody has locked does not keep plan waiting, and plan holds few locks at any moment.
    Session holder{source.superuser_conninfo()}, watcher{cluster.superuser_conninfo()};
    holder.sql("begin; lock table locked in access exclusive mode");
    std::atomic<bool> done = false;
    long most = 0;
    std::thread watching([&] {
        while (!done) {
            const std::string held = watcher.value("select coalesce(max(n), 0) from (select count(*) n from "
                                                   "pg_locks l join pg_stat_activity a using (pid) "
                                                   "where a.application_name = 'pgsluice' and l.locktype = "
                                                   "'relation' and l.relation >= 16384 group by pid) q");
            most = std::max(most, std::atol(held.c_str()));
        }
    });
    const ProgramResult result =
        pgsluice::tests::pgsluice({"plan", "--source", source.conninfo(), "--target", target.conninfo(),
                                   "--allow-target", cluster.host() + "/" + target.name()});
    done = true;
    watching.join();
    holder.sql("rollback");
    INFO(result.text());
    CHECK(result.out.find("Only the target has") != std::string::npos);
    CHECK(most < 1200);

    const std::string log = cluster.log().substr(log_before);
    std::string ours;
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = std::min(log.find('\n', at), log.size());
        const std::string line = log.substr(at, end - at);
        if (line.starts_with(source.name() + " ") || line.starts_with(target.name() + " "))
            ours += line + "\n";
        at = end + 1;
    }
    for (const char* write :
         {"lock table", "LOCK TABLE", "create ", "CREATE ", "insert into", "INSERT INTO", "drop ", "DROP ",
          "ALTER ", "alter ", "update ", "UPDATE ", "delete ", "COPY "}) {
        const std::size_t at = ours.find(std::string("statement: ") + write);
        INFO((at == std::string::npos ? "" : ours.substr(at, 200)));
        CHECK((at == std::string::npos || ours.compare(at, 28, "statement: lock table locked") == 0));
    }
    CHECK(cluster.databases() == databases);
    CHECK(first_difference(before_source, stock_dump(source.superuser_conninfo())).empty());
    CHECK(first_difference(before_target, stock_dump(target.superuser_conninfo())).empty());
    CHECK(target.value("select count(*) from pg_namespace where nspname = 'pgsluice'") == "0");
}

TEST_CASE("plan's numbers are the servers', and its last line does what it said", "[plan]") {
    Pair pair("create table t (id int primary key, v text); insert into t select i, repeat('x', 900) from "
              "generate_series(1, 2000) i; analyze",
              "create table own (id int)");
    REQUIRE(pair.run("refresh", {"--extras", "drop"}).exit_code == 0); // so that there is a previous one
    pair.target().sql("create table own (id int)");
    const boost::json::object plan = plan_json(pair);
    CHECK(plan.at("method").as_string() == "swap");
    CHECK_FALSE(plan.at("method_why").as_string().empty());
    CHECK(plan.at("rows_estimated").to_number<int>() == 2000);
    CHECK(plan.at("bytes_estimated").to_number<double>() >= 2000 * 900);
    CHECK(plan.at("disk_bytes_now").to_number<double>() >= plan.at("bytes_estimated").to_number<double>());
    CHECK(plan.at("disk_bytes_kept").to_number<double>() > 0);
    CHECK(plan.at("disk_bytes_freed").to_number<double>() > 0);
    CHECK(plan.at("previous").as_string() == pair.target().name() + "_previous");
    const ProgramResult text = pair.run("plan", {"--extras", "drop", "--verify", "checksum"});
    INFO(text.text());
    const std::string mark = "\n  pgsluice refresh ";
    const std::size_t at = text.out.rfind(mark);
    REQUIRE(at != std::string::npos);
    const std::string line = text.out.substr(at + std::string("\n  pgsluice").size());
    const ProgramResult done = run_program({"sh", "-c", pgsluice_command({}).front() + line});
    INFO(done.text());
    CHECK(done.exit_code == 0);
    expect_equal_databases(pair.source(), pair.target());        // --extras=drop was in it
    CHECK(done.err.find("checksums took") != std::string::npos); // and --verify, whose cost is told (R9)
}
