// The engine's side of libpq's contract, with a libpq that does what no server does on demand: says 1 three
// times, loses the connection in each call in turn, sends what no sane server sends.
#include "support/scripted_libpq.hpp"

#include <optional>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "flow/deadline.hpp"
#include "flow/stop.hpp"
#include "pq/connection.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;
using namespace std::chrono_literals;
using flow::Task;

namespace {

struct Scripted {
    Scripted() { reset_script(); }

    template <class T>
    T run(Task<T> task) const {
        return flow::run_blocking(loops, flow::with_timeout(std::move(task), 20s, "it hangs"));
    }
    pq::Connection open(flow::Duration stall = {}) const {
        pq::SessionOptions options;
        options.side = pq::Side::target;
        options.copy_stall_timeout = stall;
        return run(pq::Connection::open(pq::Conninfo::parse("host=scripted user=u dbname=d"), options));
    }
    template <class F>
    Error error_of(F&& what) const {
        try {
            what();
        } catch (const flow::TimedOut&) {
            FAIL("it hangs");
        } catch (const Error& error) {
            return error;
        }
        FAIL("no error");
        return Error{ErrorKind::internal, ""};
    }

    flow::Loops loops{1, 1};
};

void answer(std::vector<ScriptedResult> results) { script().answers.push_back(std::move(results)); }

Task<std::string> read_all(pq::Connection* connection) {
    pq::CopyOut copy = co_await connection->copy_out("COPY t TO STDOUT");
    std::string all, buffer(1024, '\0');
    for (;;) {
        const std::size_t bytes = co_await copy.read(buffer.data(), buffer.size());
        if (bytes == 0) break;
        all.append(buffer, 0, bytes);
    }
    CHECK(copy.rows() == copy.rows_seen());
    co_return all;
}

Task<std::uint64_t> write_all(pq::Connection* connection, std::string text) {
    pq::CopyIn copy = co_await connection->copy_in("COPY t FROM STDIN");
    co_await copy.put(text);
    co_return co_await copy.finish();
}

Task<void> fail_copy(pq::Connection* connection) {
    pq::CopyIn copy = co_await connection->copy_in("COPY t FROM STDIN");
    co_await copy.put("1\n");
    co_await copy.fail("no more");
}

void answer_copy_out(std::deque<std::string> rows) {
    answer({of_status(PGRES_COPY_OUT), of_status(PGRES_COMMAND_OK, std::to_string(rows.size()))});
    script().copy_rows = std::move(rows);
}

void answer_copy_in(std::string rows) {
    answer({of_status(PGRES_COPY_IN), of_status(PGRES_COMMAND_OK, std::move(rows))});
}

// Everything that a lane does with a connection, once. Keeps the connection for the caller to look at.
void whole_story(const Scripted& scripted, std::optional<pq::Connection>& connection) {
    script().polls = {PGRES_POLLING_WRITING, PGRES_POLLING_READING, PGRES_POLLING_OK};
    connection.emplace(scripted.open());
    script().busy = {1, 1, 0};
    scripted.run(connection->command("select 1"));
    script().flushes = {1, 1, 0};
    answer_copy_out({"1\n", "2\n"});
    scripted.run(read_all(&*connection));
    script().flushes = {0, 1, 0};
    answer_copy_in("2");
    scripted.run(write_all(&*connection, "1\n2\n"));
}

} // namespace

TEST_CASE_METHOD(Scripted, "a connection lost in any call is a lost connection: no hang, no leak, no reuse") {
    {
        std::optional<pq::Connection> connection;
        whole_story(*this, connection);
        CHECK(script().put_bytes == "1\n2\n");
    }
    const int calls = script().fallible_calls;
    REQUIRE(calls > 25);
    std::map<std::string, int> broken;
    for (int lose_at = 1; lose_at <= calls; ++lose_at) {
        reset_script();
        script().lose_at = lose_at;
        {
            std::optional<pq::Connection> connection;
            const Error error = error_of([&] { whole_story(*this, connection); });
            INFO("call " << lose_at << ", " << script().lost_in << ": " << error.what());
            CHECK(error.kind() == ErrorKind::connection);
            CHECK(error.message().find("secret") == std::string::npos);
            if (connection) {
                CHECK(connection->broken());
                const std::size_t sent = script().statements.size();
                CHECK(error_of([&] { run(connection->command("select 2")); }).kind() ==
                      ErrorKind::connection);
                CHECK(script().statements.size() == sent);
            }
        }
        ++broken[script().lost_in];
        CHECK(script().open_handles == 0);
        CHECK(script().open_results == 0);
    }
    for (const char* function : {"PQconnectPoll", "PQsendQuery", "PQflush", "PQconsumeInput", "PQgetResult",
                                 "PQgetCopyData", "PQputCopyData", "PQputCopyEnd"})
        CHECK(broken[function] > 0);
}

TEST_CASE_METHOD(Scripted, "a server older than allowed is refused before any setting is sent") {
    script().server_version = limits::server_version_min - 1;
    const Error error = error_of([&] { open(); });
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.message().find("12") != std::string::npos);
    for (const std::string& sql : script().statements) CHECK(sql.find("set ") == std::string::npos);
    CHECK(script().open_handles == 0);
}

TEST_CASE_METHOD(Scripted, "two process ids that differ start the pooler test before any setting is sent") {
    script().reported_pid = "4712"; // the same on the second connection too: transaction mode
    const Error error = error_of([&] { open(); });
    CHECK(error.kind() == ErrorKind::refused);
    CHECK(error.message().find("pooler in transaction mode") != std::string::npos);
    for (const std::string& sql : script().statements) CHECK(sql.find("set") == std::string::npos);
    CHECK(script().open_handles == 0);
}

TEST_CASE_METHOD(Scripted, "a failed login is an error with the server's words") {
    script().polls = {PGRES_POLLING_READING, PGRES_POLLING_FAILED};
    CHECK(error_of([&] { open(); }).kind() == ErrorKind::connection);
    CHECK(script().open_handles == 0);
}

TEST_CASE_METHOD(Scripted, "each put is flushed to the end before the next, however often flush says 1") {
    script().readable = false; // an answer amid the rows is another test's business
    pq::Connection connection = open();
    script().flushes = {0, 1, 1, 1, 0, 1, 1, 1, 0};
    answer_copy_in("3");
    const int before = script().flush_calls;
    const std::string text(2 * limits::copy_slice_bytes + 10, 'x');
    CHECK(run(write_all(&connection, text)) == 3);
    CHECK(script().put_bytes == text);
    CHECK(script().put_sizes ==
          std::vector<std::size_t>{limits::copy_slice_bytes, limits::copy_slice_bytes, 10});
    CHECK_FALSE(script().put_before_flushed);
    CHECK(script().flush_calls - before >= 10);
}

TEST_CASE_METHOD(Scripted, "a put that libpq did not take is sent again, once") {
    pq::Connection connection = open();
    script().puts = {0, 0, 1, 0, 1};
    script().put_ends = {0, 1};
    answer_copy_in("2");
    const std::string text = std::string(limits::copy_slice_bytes, 'a') + "b";
    CHECK(run(write_all(&connection, text)) == 2);
    CHECK(script().put_bytes == text);
}

TEST_CASE_METHOD(Scripted, "rows that arrive in dribbles are whole, however large the reader's buffer is") {
    pq::Connection connection = open();
    const std::string wide(5000, 'w');
    answer({of_status(PGRES_COPY_OUT), of_status(PGRES_COMMAND_OK, "3")});
    script().copy_rows = {"", "1\n", "", "", wide + "\n", "", "3\n", ""};
    CHECK(run(read_all(&connection)) == "1\n" + wide + "\n3\n");
    CHECK(connection.largest_row_bytes() == wide.size() + 1);
    CHECK(connection.usable());
}

TEST_CASE_METHOD(Scripted, "an end mark or a line break inside a row is refused and the connection dropped") {
    for (const std::string row : {"\\.\n", "\\.", "\\.\r\n", "1\n2\n", "\n\n"}) {
        INFO(row);
        reset_script();
        pq::Connection connection = open();
        answer_copy_out({"1\n", row, "3\n"});
        CHECK(error_of([&] { run(read_all(&connection)); }).message().find("no server sends") !=
              std::string::npos);
        CHECK(connection.broken());
    }
}

TEST_CASE_METHOD(Scripted,
                 "rows in another format than asked for are refused: they would get around the check") {
    pq::Connection connection = open();
    ScriptedResult binary = of_status(PGRES_COPY_OUT);
    binary.binary = true;
    answer({binary});
    error_of([&] { run(read_all(&connection)); });
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Scripted,
                 "a statement that should begin a COPY and does something else breaks the connection") {
    for (const ExecStatusType status :
         {PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_IN, PGRES_COPY_BOTH, PGRES_EMPTY_QUERY}) {
        reset_script();
        pq::Connection connection = open();
        answer({of_status(status)});
        error_of([&] { run(read_all(&connection)); });
        CHECK(connection.broken());
    }
}

TEST_CASE_METHOD(Scripted, "the server's error at the start of a COPY leaves the connection usable") {
    pq::Connection connection = open();
    answer({server_says("42P01", "relation \"t\" does not exist")});
    CHECK(error_of([&] { run(write_all(&connection, "1\n")); }).sqlstate() == "42P01");
    CHECK(connection.usable());
    CHECK(script().put_bytes.empty());
    run(connection.command("select 1"));
}

TEST_CASE_METHOD(Scripted,
                 "the server's error at the end of a COPY comes without the row, and is no lost connection") {
    pq::Connection connection = open();
    ScriptedResult refused = server_says("23505", "duplicate key value violates unique constraint \"k\"");
    refused.fields[PG_DIAG_MESSAGE_DETAIL] = "Key (id)=(4711) already exists.";
    answer({of_status(PGRES_COPY_IN), refused});
    const Error error = error_of([&] { run(write_all(&connection, "1\n")); });
    CHECK(error.sqlstate() == "23505");
    CHECK(std::string(error.what()).find("4711") == std::string::npos);
    CHECK(connection.usable());

    answer({of_status(PGRES_COPY_OUT), server_says("57014", "canceling statement")});
    script().copy_rows = {"1\n"};
    script().copy_breaks = true;
    CHECK(error_of([&] { run(read_all(&connection)); }).sqlstate() == "57014");
    CHECK(connection.usable());

    answer({of_status(PGRES_COPY_OUT), server_says("57P01", "terminating connection")});
    CHECK(error_of([&] { run(read_all(&connection)); }).kind() == ErrorKind::connection);
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Scripted,
                 "a COPY that we end ourselves tells the server why, and its answer is no failure") {
    pq::Connection connection = open();
    answer({of_status(PGRES_COPY_IN), server_says("57014", "COPY from stdin failed: no more")});
    run(fail_copy(&connection));
    CHECK(script().end_reason == "no more");
    CHECK(connection.usable());
}

TEST_CASE_METHOD(Scripted, "a COPY behind an ordinary statement, or two answers to one query, are refused") {
    pq::Connection connection = open();
    answer({of_status(PGRES_COPY_OUT)});
    CHECK(error_of([&] { run(connection.command("COPY t TO STDOUT")); }).kind() == ErrorKind::internal);
    CHECK(connection.broken());

    pq::Connection second = open();
    answer({of_status(PGRES_TUPLES_OK), of_status(PGRES_TUPLES_OK)});
    CHECK(error_of([&] { run(second.rows("select 1")); }).kind() == ErrorKind::internal);
    CHECK(second.usable());
}

TEST_CASE_METHOD(Scripted, "a server that is silent in a COPY is given up at the stall limit") {
    script().readable = false;
    pq::Connection connection = open(200ms);
    answer({of_status(PGRES_COPY_OUT)});
    script().copy_rows = {"1\n", "", "", "", "", ""};
    const auto began = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(run(read_all(&connection)), Catch::Contains("no row has moved"));
    CHECK(std::chrono::steady_clock::now() - began < 15s);
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Scripted, "a session asks for keepalives, and sends no setting before the pooler test") {
    const pq::SessionOptions options;
    const auto opened = [&](const std::string& conninfo) {
        run(pq::Connection::open(pq::Conninfo::parse(conninfo), options));
        return script().given;
    };
    const auto given = opened("host=scripted user=u dbname=d application_name=mine client_encoding=LATIN1");
    CHECK(given.at("keepalives") == "1");
    CHECK(given.at("keepalives_idle") == "30");
    CHECK_FALSE(given.contains("application_name"));
    CHECK_FALSE(given.contains("client_encoding"));
    CHECK(opened("host=scripted user=u dbname=d keepalives_idle=7").at("keepalives_idle") == "7");
}
