// --migrate on real servers: the release's own migrations on the source's rows, and a command that goes
// wrong.
#include <chrono>
#include <csignal>
#include <fstream>
#include <regex>
#include <thread>

#include <boost/json.hpp>

#include "support/catch.hpp"
#include "support/migrated_service.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;
namespace json = boost::json;

namespace {

// The process that a command of these tests has told of in our log.
std::string child_of(const std::string& log) {
    return std::to_string(std::stoi(log.substr(log.find("migrate: child ") + 15)));
}

// A zombie until whoever adopts it has looked: not a process that runs.
bool runs(const std::string& process) {
    std::ifstream status("/proc/" + process + "/stat");
    std::string pid, name, state;
    status >> pid >> name >> state;
    return !state.empty() && state != "Z" && state != "X";
}

// What stands in the way of rows that come late: it must rest, and be there again.
constexpr const char* busy = R"(
create table seen (n int);
create rule log_it as on insert to users do also insert into seen values (1);
create function refuse() returns trigger language plpgsql as $$ begin
    if current_setting('application_name') = 'pgsluice' then raise 'fired'; end if; return new; end $$;
create trigger refuse before insert or update on users for each row execute function refuse();
alter table users enable always trigger refuse;
alter table users enable row level security;
create view named as select id, email from users;
create materialized view counted as select count(*) as n from named;
)";

} // namespace

TEST_CASE("--migrate: the release runs on the source's rows, then the target's own is merged",
          "[migrations]") {
    const SqlFile next(additions + rename_orders + "update users set phone = '1' where id = 1;" +
                       recorded_behind);
    const Pair pair(first_release,
                    ahead(additions + rename_orders) + by_hand +
                        "create view bought as select id, note from purchases; grant select on "
                        "purchases to public; insert into notes values (1, 1, 'x')");
    const json::object report = run_refresh(pair, {"--migrate", next.command()});
    const TestDatabase& target = pair.target();
    CHECK(there(target, "purchases"));
    CHECK_FALSE(there(target, "orders"));
    CHECK(target.value("select count(*) from purchases") == "200");
    CHECK(target.value("select phone from users where id = 1") == "1"); // data migrations have run
    CHECK(target.value("select count(*) from mine") == "2");
    CHECK(target.value("select count(*) from bought") == "200");
    CHECK(target.value("select count(*) from notes") ==
          "0"); // a table of the release: the source's rows, none
    CHECK(target.value("select has_table_privilege('public', 'purchases', 'select')") == "t");
    CHECK(there(target, "users_lower"));
    CHECK(target.value(
              "select string_agg(installed_rank || coalesce(version, 'R'), ',' order by installed_rank) from "
              "flyway_schema_history") == "11,2R,32");
    const json::array& migrated = report.at("merge").at("migrated").as_array();
    REQUIRE(migrated.size() == 1);
    CHECK(migrated[0].at("command").as_string() == next.command());
    CHECK(migrated[0].at("seconds").to_number<double>() > 0);
    CHECK(report.at("merge").at("applied_again").as_int64() == 0);
    CHECK(pending_of(target, "migration").empty());
    CHECK(pair.leftovers().empty());
}

TEST_CASE("--migrate is not run where nothing is ahead", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    const json::object report = run_refresh(pair, {"--migrate", "false"});
    CHECK(json::serialize(report.at("notes")).find("the command is not run") != std::string::npos);
    CHECK(there(pair.target(), "mine"));
}

TEST_CASE("a migration that fails leaves the target as it was, and its last lines in the error",
          "[migrations]") {
    Trial trial(first_release, ahead(additions) + by_hand);
    const SqlFile wrong("select 'before it'; alter table nowhere add column x int;");
    trial.fails(1, {"failed with exit code 3", "relation \"nowhere\" does not exist"},
                {"--migrate", wrong.command()});
    trial.fails(
        1, {"did not end within 1 s", "waiting for nothing"},
        {"--migrate", "echo waiting for nothing; sleep 300", "--migrate-shell", "--migrate-timeout", "1s"});
    trial.fails(1, {"ended by signal 9"}, {"--migrate", "sh -c 'kill -9 $$'"});
    trial.fails(2, {"no program that can be run"}, {"--migrate", "/no/such/program"});
    trial.fails(2, {"quote"}, {"--migrate", "psql 'open"});
}

TEST_CASE("the migration command gets a password file that only we can read, and no password elsewhere",
          "[migrations]") {
    ClusterOptions scram;
    scram.scram = true;
    TestCluster cluster(scram);
    DatabaseOptions source, target;
    source.sql = first_release;
    target.sql = ahead(additions);
    Trial trial(cluster, source, cluster, target);
    const std::string password = "app"; // with scram its password is its name
    const std::string bare = std::regex_replace(trial.target_conninfo, std::regex("password='?[^' ]*'?"), "");
    trial.target_conninfo = bare;
    trial.source_conninfo = std::regex_replace(trial.source_conninfo, std::regex("password='?[^' ]*'?"), "");
    ProgramOptions options;
    options.env = {{"APP_SECRET", password}};
    const ProgramResult result = trial.refresh({"--source-password-env", "APP_SECRET",
                                                "--target-password-env", "APP_SECRET", "--migrate",
                                                "stat -c 'mode %a' $PGPASSFILE; echo file $PGPASSFILE; echo "
                                                "secret ${APP_SECRET-none} ${PGPASSWORD-none}; "
                                                "psql -X -w -c \"select 'in ' || current_database()\"; tr "
                                                "'\\0' ' ' < /proc/$$/cmdline; echo; echo it is "
                                                "$(cut -d: -f5 $PGPASSFILE | head -n 1)",
                                                "--migrate-shell"},
                                               options);
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(contains(result.err, "migrate: mode 600"));
    CHECK(contains(result.err, "migrate: secret none none"));
    CHECK(contains(result.err, "in " + trial.target().name() + "_pgsluice_"));
    CHECK(contains(result.err, "migrate: it is ***"));
    const std::size_t at = result.err.find("migrate: file ") + 14;
    const std::string file = result.err.substr(at, result.err.find('\n', at) - at);
    CHECK_FALSE(std::ifstream(file).good());
}

TEST_CASE("a stop ends the migration command and cleans up within five seconds", "[migrations]") {
    Trial trial(first_release, ahead(additions));
    const Untouched before(trial.target());
    Program program(pgsluice_command(trial.arguments(
        {"--migrate", "trap '' TERM; psql -X -c 'select pg_sleep(300)' & echo child $!; wait; sleep 300",
         "--migrate-shell"})));
    for (int i = 0; i < 600 && !contains(program.err(), "migrate: child "); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto began = std::chrono::steady_clock::now();
    program.send(SIGTERM);
    const ProgramResult result = program.wait();
    INFO(result.text());
    CHECK(result.exit_code == 1);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(5500));
    CHECK_FALSE(runs(child_of(result.err)));
    before.check();
}

TEST_CASE("killed, it takes the migration command and its password file along", "[migrations]") {
    Trial trial(first_release, ahead(additions));
    Program program(pgsluice_command(trial.arguments(
        {"--migrate", "echo file $PGPASSFILE; psql -X -c 'select pg_sleep(300)' & echo child $!; sleep 300",
         "--migrate-shell"})));
    for (int i = 0; i < 600 && !contains(program.err(), "migrate: child "); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::size_t at = program.err().find("migrate: file ") + 14;
    const std::string file = program.err().substr(at, program.err().find('\n', at) - at);
    const std::string child = child_of(program.err());
    CHECK(std::ifstream(file).good());
    CHECK(runs(child));
    program.send(SIGKILL);
    (void)program.wait();
    for (int i = 0; i < 50 && (runs(child) || std::ifstream(file).good()); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK_FALSE(std::ifstream(file).good());
    CHECK_FALSE(runs(child));
    CHECK(trial.refresh({"--drift", "replay"}).ok());
    CHECK(trial.target().value("select count(*) from pg_database where datname like "
                               "current_database() || '\\_pgsluice\\_%'") == "0");
}

TEST_CASE("--migrate: preserved rows are merged into migrated tables while triggers, rules and policies rest",
          "[migrations][preserve]") {
    const SqlFile next(additions + recorded_behind);
    const Pair pair(first_release + "insert into users (email) values ('prod21@x');" + busy,
                    ahead(additions) + R"(insert into users (email, phone) values ('only@pre', '555');
        update users set phone = '777' where email = 'u3@x'; insert into orders values (900, 21, 'pre');)" +
                        busy);
    const json::object report =
        run_refresh(pair, {"--migrate", next.command(), "--preserve", "orders", "--preserve", "users"});
    const TestDatabase& target = pair.target();
    // Prod has somebody else under 21: a new key, and the order goes with it.
    CHECK(target.value(
              "select u.email || ' ' || u.phone || ' ' || (u.id > 21)::text from orders o join users u "
              "on u.id = o.user_id where o.id = 900") == "only@pre 555 true");
    CHECK(target.value("select email from users where id = 21") == "prod21@x");
    CHECK(target.value("select coalesce(phone, 'none') from users where email = 'u3@x'") == "none");
    CHECK(target.value("select count(*) || ' ' || (select count(*) from orders) from users") == "22 201");
    CHECK(target.value("select count(*) from seen") == "0");
    CHECK(
        target.value("select tgenabled::text || (select ev_enabled::text from pg_rewrite where rulename = "
                     "'log_it') || (select relrowsecurity::text from pg_class where oid = 'users'::regclass) "
                     "from pg_trigger where tgname = 'refuse'") == "AOtrue");
    CHECK(target.value("select count(*) from pg_constraint where contype = 'f' and (condeferrable or not "
                       "convalidated)") == "0");
    CHECK(target.value("select nextval('users_id_seq') > max(id) from users") == "t");
    CHECK(target.value("select count(*) from pgsluice.key where table_name = 'users'") == "21");
    CHECK(target.value("select count(*) from pgsluice.rejected") == "0");
    CHECK(contains(json::serialize(report.at("notes")), "materialized view public.counted"));
}

TEST_CASE("--migrate finds the source's constraints, and preserved rows are merged into what it made",
          "[migrations]") {
    const std::string next = additions + rename_orders;
    // ON CONFLICT needs the unique key, the assertion both foreign keys.
    const SqlFile file(
        next +
        "insert into users (email, phone) values ('u1@x', 'new') on conflict (email) do update "
        "set phone = 'met';"
        "do $$ begin assert (select count(*) from pg_constraint where contype = 'f' and "
        "convalidated) = 2; end $$;" +
        recorded_behind);
    const Pair pair(first_release,
                    ahead(next) +
                        "insert into users (email, phone) values ('own@y', '555');"
                        "insert into purchases select 900, id, 'own' from users where email = 'own@y';");
    // purchases and phone are there only once the migration has run.
    (void)run_refresh(pair, {"--migrate", file.command(), "--preserve", "users", "--preserve", "purchases"});
    const TestDatabase& target = pair.target();
    CHECK(target.value("select u.email || ' ' || u.phone || ' ' || p.note from users u join purchases p on "
                       "p.user_id = u.id where p.id = 900") == "own@y 555 own");
    CHECK(target.value("select count(*) from purchases") == "201");
    CHECK(target.value("select count(*) from users") == "21");
    CHECK(target.value("select phone from users where email = 'u1@x'") == "met");
}
