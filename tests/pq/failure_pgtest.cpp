// What goes wrong on real servers: late, cancelled, killed, restarted, refused; and a peer that does not keep
// up.
#include <signal.h>

#include <atomic>
#include <thread>

#include "base/limits.hpp"
#include "flow/deadline.hpp"
#include "pq/fixture.hpp"
#include "support/session.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {

struct Fixture : PqFixture {
    TestDatabase database;
    pq::Connection connection = open(database.conninfo());

    // True when no session of this database runs a statement with this text any more, within 5 s.
    bool ends(const std::string& part) const {
        for (int i = 0; i < 100; ++i) {
            if (database.value("select count(*) from pg_stat_activity where pid <> pg_backend_pid() and "
                               "state = 'active' and datname = '" +
                               database.name() + "' and query like '%" + part + "%'") == "0")
                return true;
            std::this_thread::sleep_for(50ms);
        }
        return false;
    }
};

Task<void> read_some(pq::Connection* connection, std::string sql, std::string* first) {
    pq::CopyOut copy = co_await connection->copy_out(sql);
    first->resize(1024);
    first->resize(co_await copy.read(first->data(), first->size()));
    co_await copy.read(first->data(), 0);
    std::string more(65536, '\0');
    while (co_await copy.read(more.data(), more.size()) > 0) {
    }
}

} // namespace

TEST_CASE_METHOD(Fixture, "a late statement breaks the connection, and dropping it cancels the statement",
                 "[pq]") {
    const auto before = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(run(connection.command("select pg_catalog.pg_sleep(30) as late", 200ms)), flow::TimedOut);
    CHECK(std::chrono::steady_clock::now() - before < 10s);
    CHECK(connection.broken());
    { const pq::Connection dropped = std::move(connection); }
    CHECK(ends("as late"));
    connection = open(database.conninfo());
}

TEST_CASE_METHOD(Fixture, "a cancelled task breaks the connection, and dropping it cancels the statement",
                 "[pq]") {
    CHECK_THROWS_AS(run(flow::with_timeout(connection.command("select pg_catalog.pg_sleep(30) as stopped"),
                                           200ms, "too late")),
                    flow::TimedOut);
    CHECK(connection.broken());
    connection = open(database.conninfo());
    CHECK(ends("as stopped"));
}

TEST_CASE_METHOD(Fixture, "a server that does not read makes the sender wait, not its memory grow", "[pq]") {
    run(connection.command("create table public.t (a text)"));
    std::atomic<std::size_t> done = 0;
    const pid_t backend = connection.backend_pid();
    const auto start = [](pq::Connection* on, pid_t pid, std::atomic<std::size_t>* count) -> Task<void> {
        pq::CopyIn copy = co_await on->copy_in("copy public.t from stdin");
        ::kill(pid, SIGSTOP);
        const std::string piece(limits::copy_slice_bytes - 1, 'x');
        for (; *count < 1024; ++*count) co_await copy.put(piece + "\n");
    };
    CHECK_THROWS_AS(run(flow::with_timeout(start(&connection, backend, &done), 1s, "blocked")),
                    flow::TimedOut);
    ::kill(backend, SIGCONT);
    // 64 MiB offered; socket buffers take a few.
    CHECK(done * limits::copy_slice_bytes < 16 * limits::MiB);
}

TEST_CASE_METHOD(PqFixture, "a COPY in which nothing moves ends at the stall limit", "[pq]") {
    const TestDatabase database;
    pq::SessionOptions options = this->options();
    options.copy_stall_timeout = 300ms;
    pq::Connection connection = run(pq::Connection::open(pq::Conninfo::parse(database.conninfo()), options));
    std::string first;
    CHECK_THROWS_AS(run(read_some(&connection,
                                  "copy (select pg_catalog.pg_sleep(case when g > 1 then 30 else 0 end)"
                                  " from pg_catalog.generate_series(1, 2) g) to stdout",
                                  &first)),
                    flow::TimedOut);
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Fixture, "values of 20 MB pass both ways", "[pq]") {
    run(connection.command("create table public.t (a text)"));
    const std::string row(20 << 20, 'x');
    CHECK(run(copy_text(&connection, "copy public.t from stdin", row + "\n" + row + "\n")) == 2);
    const std::string back = run(copy_all(&connection, "copy public.t to stdout", 100000));
    CHECK(back == row + "\n" + row + "\n");
    CHECK(connection.largest_row_bytes() == row.size() + 1);
}

TEST_CASE_METHOD(Fixture, "a session ended in the middle of COPY OUT is a lost connection", "[pq]") {
    std::string first;
    std::thread killer([&] {
        std::this_thread::sleep_for(300ms);
        database.superuser_sql("select pg_terminate_backend(" + std::to_string(connection.backend_pid()) +
                               ")");
    });
    const Error error = error_of(read_some(
        &connection,
        "copy (select g, pg_catalog.pg_sleep(0.001) from pg_catalog.generate_series(1, 100000) g) to stdout",
        &first));
    killer.join();
    CHECK(error.kind() == ErrorKind::connection);
    CHECK(connection.broken());
    CHECK(error_of(connection.value("select 1")).kind() == ErrorKind::connection);
}

TEST_CASE_METHOD(Fixture, "a session ended in the middle of COPY IN is a lost connection", "[pq]") {
    run(connection.command("create table public.t (a text)"));
    const auto cut = [](pq::Connection* on, const TestDatabase* in) -> Task<void> {
        pq::CopyIn copy = co_await on->copy_in("copy public.t from stdin");
        co_await copy.put("1\n");
        in->superuser_sql("select pg_terminate_backend(" + std::to_string(on->backend_pid()) + ")");
        for (int i = 0; i < 100; ++i) {
            co_await copy.put(std::string(100000, 'x') + "\n");
            co_await flow::sleep_for(10ms);
        }
        co_await copy.finish();
    };
    CHECK(error_of(cut(&connection, &database)).kind() == ErrorKind::connection);
    CHECK(connection.broken());
}

TEST_CASE_METHOD(Fixture, "a refused row is reported long before the last one, without its value", "[pq]") {
    run(connection.command("create table public.n (a int primary key)"));
    const auto refused = [](pq::Connection* on, int* sent) -> Task<void> {
        pq::CopyIn copy = co_await on->copy_in("copy public.n from stdin");
        co_await copy.put("secret\n");
        for (*sent = 0; *sent < 600; ++*sent) {
            co_await copy.put("1\n");
            co_await flow::sleep_for(10ms);
        }
        co_await copy.finish();
    };
    int sent = 0;
    const Error error = error_of(refused(&connection, &sent));
    CHECK(error.sqlstate() == "22P02");
    CHECK(std::string(error.what()).find("secret") == std::string::npos);
    CHECK(sent < 500);
    CHECK(connection.usable());
    const Error twice = error_of(copy_text(&connection, "copy public.n from stdin", "4711\n4711\n"));
    CHECK(twice.sqlstate() == "23505");
    CHECK(twice.message().find("n_pkey") != std::string::npos);
    CHECK(std::string(twice.what()).find("4711") == std::string::npos);
    CHECK(run(connection.value("select 1")) == "1");
}

TEST_CASE_METHOD(Fixture, "notices in the middle of COPY IN are no failure", "[pq]") {
    run(connection.command(
        "create table public.t (a int);"
        "create function public.f() returns trigger language plpgsql as"
        " 'begin raise notice ''row''; return new; end';"
        "create trigger t before insert on public.t for each row execute function public.f()"));
    const auto slow = [](pq::Connection* on) -> Task<std::uint64_t> {
        pq::CopyIn copy = co_await on->copy_in("copy public.t from stdin");
        for (int i = 0; i < 150; ++i) {
            co_await copy.put(std::string(40000, '0') + "1\n");
            co_await flow::sleep_for(10ms);
        }
        co_return co_await copy.finish();
    };
    CHECK(run(slow(&connection)) == 150);
    CHECK(connection.take_notices().size() == limits::notices_kept_max);
}

TEST_CASE_METHOD(PqFixture, "a server restarted in the middle is a lost connection, then a new one works",
                 "[pq]") {
    TestCluster cluster;
    for (const std::string mode : {"fast", "immediate"}) {
        pq::Connection connection = open(cluster.superuser_conninfo());
        std::thread restart([&] {
            std::this_thread::sleep_for(300ms);
            cluster.restart(mode);
        });
        const Error error = error_of(connection.command("select pg_catalog.pg_sleep(30)"));
        restart.join();
        CHECK(error.kind() == ErrorKind::connection);
        CHECK(connection.broken());
        pq::Connection again = open(cluster.superuser_conninfo());
        CHECK(run(again.value("select 1")) == "1");
    }
}
