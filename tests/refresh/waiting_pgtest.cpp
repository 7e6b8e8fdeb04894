// refresh --no-swap, and the command swap: in order, twice, refused, killed in the middle.
#include <chrono>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "support/migrated_service.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

using Names = std::vector<std::string>;

struct Waiting {
    std::string database;
    ProgramResult result;
};

Waiting leave_waiting(const Pair& pair, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"--no-swap"};
    words.insert(words.end(), more.begin(), more.end());
    Waiting waiting{"", pair.run("refresh", words)};
    INFO(waiting.result.text());
    REQUIRE(waiting.result.ok());
    waiting.database = waiting.result.out.substr(0, waiting.result.out.find('\n'));
    REQUIRE(pair.leftovers() == Names{waiting.database});
    return waiting;
}

ProgramResult swap(const Pair& pair, const std::vector<std::string>& more = {}) {
    return pair.run("swap", more);
}

} // namespace

TEST_CASE("refresh --no-swap, a migration from elsewhere, swap", "[migrations]") {
    const Pair pair(first_release, ahead(additions + rename_orders) + by_hand +
                                       "create view bought as select id, note from purchases");
    const Waiting waiting = leave_waiting(pair);
    CHECK(waiting.result.out.find("pgsluice swap --target ") != std::string::npos);
    CHECK(pair.target().value("select state from pgsluice.run") == "waiting");
    CHECK(there(pair.target(), "purchases")); // the target is as it was
    const SqlFile next(additions + rename_orders + recorded_behind);
    output_of({"psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", next.path, "-d",
               pair.target().cluster().conninfo(waiting.database, pair.target().owner())});
    pair.target().sql("insert into mine values (3, 5, 'late')");

    const ProgramResult swapped = swap(pair);
    INFO(swapped.text());
    REQUIRE(swapped.ok());
    CHECK(there(pair.target(), "purchases"));
    CHECK_FALSE(there(pair.target(), "orders"));
    CHECK(pair.target().value("select count(*) from purchases") == "200");
    CHECK(pair.target().value("select count(*) from bought") == "200");
    CHECK(pair.target().value("select count(*) from mine") == "3");
    CHECK(pair.target().value("select state from pgsluice.run") == "swapped");
    CHECK(pair.leftovers().empty());

    // Run twice: nothing waits any more.
    const ProgramResult again = swap(pair);
    INFO(again.text());
    CHECK(again.exit_code == 1);
    CHECK(again.err.find("no database waits for its swap") != std::string::npos);
    CHECK(pair.target().value("select count(*) from purchases") == "200");
    const ProgramResult back = pair.run("rollback");
    INFO(back.text());
    CHECK(back.ok());
}

TEST_CASE("--no-swap with equal histories, and swap without a migration", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    leave_waiting(pair);
    const ProgramResult swapped = swap(pair);
    INFO(swapped.text());
    REQUIRE(swapped.ok());
    CHECK(pair.target().value("select count(*) from mine") == "2");
    CHECK(pair.target().value("select count(*) from orders") == "200");
}

TEST_CASE("--no-swap that nobody migrated: swap decides as refresh would", "[migrations]") {
    const Pair pair(first_release, ahead(additions) + by_hand);
    leave_waiting(pair);
    const ProgramResult swapped = swap(pair);
    INFO(swapped.text());
    REQUIRE(swapped.ok());
    CHECK_FALSE(there(pair.target(), "notes"));
    CHECK(pending_of(pair.target(), "migration").find("table public.notes") != std::string::npos);
}

TEST_CASE("beside a waiting database there is no refresh; it is no leftover", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    const Waiting first = leave_waiting(pair);
    const ProgramResult refused = pair.run("refresh");
    INFO(refused.text());
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find("waits for its swap") != std::string::npos);
    CHECK(pair.leftovers() == Names{first.database});

    const Waiting second = leave_waiting(pair, {"--discard-waiting"});
    CHECK(second.database != first.database);
    const ProgramResult cleaned = pair.run("cleanup");
    INFO(cleaned.text());
    CHECK(cleaned.ok());
    CHECK(pair.leftovers().empty());
    const ProgramResult nothing = swap(pair);
    INFO(nothing.text());
    CHECK(nothing.exit_code == 1);
    CHECK(nothing.err.find("no database waits") != std::string::npos);

    // Gone without us: refresh goes on.
    const Waiting third = leave_waiting(pair);
    pair.target().cluster().sql("drop database \"" + third.database + "\"");
    const ProgramResult gone = swap(pair);
    INFO(gone.text());
    CHECK(gone.exit_code == 1);
    CHECK(gone.err.find("is gone") != std::string::npos);
    const ProgramResult after = pair.run("refresh");
    INFO(after.text());
    CHECK(after.ok());
}

TEST_CASE("swap refuses a target that is not what it was", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    const Waiting waiting = leave_waiting(pair);
    pair.target().sql("create table newer (id int)");
    const ProgramResult changed = swap(pair);
    INFO(changed.text());
    CHECK(changed.exit_code == 1);
    CHECK(changed.err.find("the target's schema has changed") != std::string::npos);
    pair.target().sql("drop table newer");
    pair.target().sql(
        "insert into flyway_schema_history (installed_rank, version, type, success) values (9, '2', "
        "'SQL', true)");
    const ProgramResult history = swap(pair);
    INFO(history.text());
    CHECK(history.exit_code == 1);
    CHECK(history.err.find("migration history has changed") != std::string::npos);
    CHECK(pair.leftovers() == Names{waiting.database});
    pair.target().sql("delete from flyway_schema_history where version = '2'");
    const ProgramResult fine = swap(pair);
    INFO(fine.text());
    CHECK(fine.ok());
}

TEST_CASE("a swap that is killed leaves the target whole, and the next one says what is", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    for (const int milliseconds : {50, 300, 600, 900, 1300}) {
        const ProgramResult built = pair.run("refresh", {"--no-swap", "--discard-waiting"});
        INFO(built.text());
        REQUIRE(built.ok());
        {
            Program program(pgsluice_command(pair.arguments("swap")));
            std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
            program.send(SIGKILL);
            (void)program.wait();
        }
        CHECK(comes_true(pair.target(),
                         "select count(*) = 0 from pg_stat_activity where application_name = 'pgsluice'"));
        CHECK(pair.target().value("select count(*) from orders") == "200");
        CHECK(pair.target().value("select count(*) from mine") == "2");
        const std::string state =
            pair.target().value("select state from pgsluice.run order by started desc limit 1");
        const ProgramResult again = swap(pair);
        INFO(state << '\n' << again.text());
        CHECK(again.exit_code == (state == "waiting" ? 0 : 1));
        CHECK(pair.target().value("select count(*) from mine") == "2");
    }
}

TEST_CASE("swap merges preserved rows, also those that came while the database waited",
          "[migrations][preserve]") {
    const Pair pair(first_release + "insert into users (email) values ('prod21@x');",
                    first_release + by_hand + R"(insert into users (email) values ('only@pre');
        insert into orders values (900, 21, 'pre');)");
    leave_waiting(pair, {"--preserve", "users", "--preserve", "orders"});
    pair.target().sql("insert into users (email) values ('late@pre'); insert into orders values (901, 22, "
                      "'late'); insert into mine values (3, 21, 'of only')");
    const ProgramResult swapped = swap(pair);
    INFO(swapped.text());
    REQUIRE(swapped.ok());
    const TestDatabase& target = pair.target();
    CHECK(target.value(
              "select string_agg(o.id || ' ' || u.email, ',' order by o.id) from orders o join users u "
              "on u.id = o.user_id where o.id >= 900") == "900 only@pre,901 late@pre");
    CHECK(target.value("select u.email from mine m join users u on u.id = m.user_id where m.id = 3") ==
          "only@pre");
    CHECK(target.value("select email from users where id = 21") == "prod21@x");
    CHECK(target.value("select count(*) from users") == "23");
    CHECK(target.value("select count(*) from pgsluice.rejected") == "0");
    CHECK(target.value("select count(*) from pgsluice.key where table_name = 'users'") == "21");
}

TEST_CASE("what refresh --no-swap was told holds for the swap", "[migrations]") {
    SECTION("--preserve and --reference") {
        const Pair pair(first_release, first_release + R"(
            insert into users (email) values ('own@y');
            create table loose (who int, v text); insert into loose select id, 'his' from users where email = 'own@y';)");
        pair.source().sql("insert into users (email) values ('taken@x')"); // under the key of own@y
        leave_waiting(pair, {"--preserve", "users", "--reference", "loose.who=users.id"});
        const ProgramResult swapped = swap(pair);
        INFO(swapped.text());
        REQUIRE(swapped.ok());
        CHECK(pair.target().value("select count(*) from users") == "22");
        CHECK(pair.target().value("select u.email from loose l join users u on u.id = l.who") == "own@y");
    }
    SECTION("--keep, where the histories say replay") {
        const Pair pair(first_release, ahead(additions) + by_hand);
        leave_waiting(pair, {"--keep", "public.mine"});
        REQUIRE(swap(pair).ok());
        CHECK(there(pair.target(), "mine"));
        CHECK_FALSE(there(pair.target(), "notes"));
    }
    SECTION("--drift=carry") {
        const Pair pair(first_release, ahead(additions));
        leave_waiting(pair, {"--drift", "carry"});
        REQUIRE(swap(pair).ok());
        CHECK(there(pair.target(), "notes"));
        CHECK(pair.target().value("select count(*) from flyway_schema_history where version = '2'") == "1");
    }
}

TEST_CASE("swap repeats mark and guard", "[migrations]") {
    const Pair pair(first_release, first_release + by_hand);
    const Waiting waiting = leave_waiting(pair); // --allow-target marks this one run only
    const ProgramResult unmarked =
        run_program(pgsluice_command({"swap", "--target", pair.target().conninfo()}));
    INFO(unmarked.text());
    CHECK(unmarked.exit_code == 1);
    CHECK(unmarked.err.find("not marked") != std::string::npos);
    const ProgramResult other = run_program(pgsluice_command(
        {"swap", "--target", pair.target().conninfo(), "--allow-target", "127.0.0.1/another"}));
    INFO(other.text());
    CHECK(other.exit_code == 1);

    pair.target().superuser_sql("create subscription feed connection 'host=nowhere' publication p "
                                "with (connect = false, slot_name = none)");
    const ProgramResult bound = swap(pair);
    INFO(bound.text());
    CHECK(bound.exit_code == 1);
    CHECK(bound.err.find("subscription feed") != std::string::npos);
    pair.target().superuser_sql("drop subscription feed");
    CHECK(pair.leftovers() == Names{waiting.database});
    CHECK(pair.target().value("select state from pgsluice.run") == "waiting");
    CHECK(swap(pair).ok());
}
