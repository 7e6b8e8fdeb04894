// copy_range between two databases of a real server: sizes, formats, hostile bytes, and every way to fail.
// Each must end within a deadline, with the first cause, and with connections in the state that the header
// promises.
#include "rows/copy.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/limits.hpp"
#include "flow/deadline.hpp"
#include "pq/fixture.hpp"
#include "rows/checksum.hpp"
#include "support/program.hpp"

using namespace pgsluice;
using tests::PqFixture;
using tests::TestDatabase;
using namespace std::chrono_literals;

namespace {

struct CopyFixture : PqFixture {
    CopyFixture(const std::string& from, const std::string& to, std::size_t memory = 16 * limits::MiB)
        : source(open(from, pq::Side::source)), target(open(to)), budget(memory, 1) {
        run(source.command("BEGIN"));
        run(target.command("BEGIN"));
        table.schema = "public";
        table.name = "t";
        table.columns = {"a", "b"};
    }

    flow::Task<rows::CopyResult> task() { return rows::copy_range(source, target, options()); }
    rows::CopyResult copy() { return run(flow::with_timeout(task(), 120s, "the copy hangs")); }
    Error failure() { return error_of(flow::with_timeout(task(), 30s, "the copy hangs")); }
    std::string ask(pq::Connection& connection, std::string sql) {
        return run(connection.value(std::move(sql)));
    }

    const rows::CopyOptions& options() {
        wanted.table = &table;
        wanted.range = range;
        wanted.format = format;
        wanted.loop = loops.main();
        wanted.helpers = loops.helpers();
        wanted.budget = &budget;
        return wanted;
    }

    pq::Connection source, target;
    rows::Budget budget;
    model::TableRows table;
    plan::Range range;
    rows::Format format = rows::Format::text;
    rows::CopyOptions wanted;
};

// Rows as a set, without sorting them.
const char* const fingerprint =
    "select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) "
    "from public.t t";

struct Pair {
    explicit Pair(const std::string& columns, const std::string& rows = "") {
        source.sql("create table t (" + columns + ")");
        target.sql("create table t (" + columns + ")");
        if (!rows.empty()) source.sql("insert into t " + rows);
    }
    TestDatabase source, target;
};

const char* const many = "select g, repeat(md5(g::text), 3) from generate_series(1, 400000) g";

// Ends the backend as soon as the copy is under way, from a thread of its own.
std::jthread terminate_later(CopyFixture& copy, TestDatabase& database, int pid, std::atomic<bool>& begun) {
    copy.wanted.progress = [&begun](std::uint64_t bytes, std::uint64_t) { begun = begun || bytes > 0; };
    return std::jthread([&database, &begun, pid] {
        for (int i = 0; i < 2000 && !begun; ++i) std::this_thread::sleep_for(5ms);
        database.superuser_sql("select pg_terminate_backend(" + std::to_string(pid) + ")");
    });
}

} // namespace

TEST_CASE("a million narrow rows arrive, in both formats, and the two are the same") {
    Pair pair("a int, b int", "select g, g * 7 % 1000 from generate_series(1, 1000000) g");
    for (const rows::Format format : {rows::Format::text, rows::Format::binary}) {
        CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
        copy.format = format;
        std::uint64_t reported = 0;
        copy.wanted.progress = [&reported](std::uint64_t bytes, std::uint64_t) { reported = bytes; };
        const rows::CopyResult result = copy.copy();
        CHECK(result.rows_sent == 1'000'000);
        CHECK(result.rows_received == 1'000'000);
        CHECK(result.bytes == reported);
        CHECK(result.pipe.held_bytes_peak <= 16 * limits::MiB);
        CHECK(copy.ask(copy.target, fingerprint) == pair.source.value(fingerprint));
    }
}

TEST_CASE("hostile bytes and a range arrive as they are") {
    Pair pair("a int, b text", R"(values (1, E'\\.'), (2, E'a\nb\tc\rd\\N'), (3, null), (4, ''), (5, '\N'),
        (6, E'\x01\x7f'), (7, '";drop table t;--'), (8, 'zählung €'))");
    for (const rows::Format format : {rows::Format::text, rows::Format::binary}) {
        CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
        copy.format = format;
        CHECK(copy.copy().rows_received == 8);
        CHECK(copy.ask(copy.target, fingerprint) == pair.source.value(fingerprint));
        copy.run(copy.target.command("DELETE FROM public.t"));
        copy.range.predicate = "a > 3 -- not all";
        CHECK(copy.copy().rows_received == 5);
    }
}

TEST_CASE("only the rows of a configuration table's condition are copied, and only they are counted") {
    Pair pair("a int, b text", "select g, 'row ' || g from generate_series(1, 100) g");
    CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
    pair.target.sql("insert into t values (5, 'made by the extension')");
    copy.table.condition = "WHERE a > 90 -- the user's";
    CHECK(copy.copy().rows_received == 10);
    const rows::Tables tables{&copy.table};
    CHECK(copy.run(rows::count_rows(copy.target, tables)) == 10);
    for (const rows::HashedText hashed : {rows::HashedText::as_kept, rows::HashedText::utf8})
        CHECK(copy.run(rows::checksum_rows(copy.target, tables, hashed)) ==
              copy.run(rows::checksum_rows(copy.source, tables, hashed)));
    CHECK(copy.ask(copy.target, "select count(*) from public.t") == "11");
    copy.range.predicate = "a < 95";
    CHECK(copy.copy().rows_received == 4);
}

TEST_CASE("an empty table and a table without columns") {
    Pair empty("a int, b text");
    CopyFixture first(empty.source.conninfo(), empty.target.conninfo());
    CHECK(first.copy().rows_received == 0);

    Pair bare("", "select from generate_series(1, 7)");
    CopyFixture second(bare.source.conninfo(), bare.target.conninfo());
    second.table.columns.clear();
    CHECK(second.copy().rows_received == 7);
    CHECK(second.ask(second.target, "select count(*) from public.t") == "7");
}

TEST_CASE("the source's backend ends in the middle: its error, and the target is usable") {
    Pair pair("a int, b text", many);
    CopyFixture copy(pair.source.conninfo(), pair.target.conninfo(), limits::MiB);
    std::atomic<bool> begun{false};
    const std::jthread killer = terminate_later(copy, pair.source, copy.source.backend_pid(), begun);
    // A slow target keeps the copy going until the backend is gone.
    pair.target.sql(
        "create function slow() returns trigger language plpgsql as $$begin if new.a % 100 = 0 then "
        "perform pg_sleep(0.002); end if; return new; end$$;"
        "create trigger slow before insert on t for each row execute function slow()");
    const Error error = copy.failure();
    INFO(error.what());
    CHECK((error.sqlstate() == "57P01" || error.kind() == ErrorKind::connection));
    CHECK(copy.source.broken());
    REQUIRE(copy.target.usable());
    copy.run(copy.target.command("ROLLBACK"));
    CHECK(copy.ask(copy.target, "select count(*) from public.t") == "0");
}

TEST_CASE("the target's backend ends in the middle: its error") {
    Pair pair("a int, b text", many);
    pair.target.sql(
        "create function slow() returns trigger language plpgsql as $$begin if new.a % 100 = 0 then "
        "perform pg_sleep(0.002); end if; return new; end$$;"
        "create trigger slow before insert on t for each row execute function slow()");
    CopyFixture copy(pair.source.conninfo(), pair.target.conninfo(), limits::MiB);
    std::atomic<bool> begun{false};
    const std::jthread killer = terminate_later(copy, pair.target, copy.target.backend_pid(), begun);
    const Error error = copy.failure();
    INFO(error.what());
    CHECK((error.sqlstate() == "57P01" || error.kind() == ErrorKind::connection));
    CHECK(copy.target.broken());
}

TEST_CASE("the target refuses a row: its reason without the row, and its connection is usable") {
    Pair pair("a int, b text", many);
    pair.target.sql("alter table t add constraint small check (a < 200000)");
    CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
    const Error error = copy.failure();
    INFO(error.what());
    CHECK(error.sqlstate() == "23514");
    CHECK(error.kind() == ErrorKind::target);
    REQUIRE(copy.target.usable());
    copy.run(copy.target.command("ROLLBACK"));
    CHECK(copy.ask(copy.target, "select count(*) from public.t") == "0");
}

TEST_CASE("a source table that is not there, a target table that is not there") {
    Pair pair("a int, b text", "values (1, 'x')");
    pair.target.sql("drop table t");
    {
        CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
        CHECK(copy.failure().kind() == ErrorKind::target);
    } // its transaction holds a lock on the source's table
    pair.target.sql("create table t (a int, b text)");
    TestDatabase bare;
    CopyFixture copy(bare.conninfo(), pair.target.conninfo());
    CHECK(copy.failure().kind() == ErrorKind::source);
    CHECK(copy.target.usable());
}

// Not a test of its own: the program that the next one measures.
TEST_CASE("copies one large value", "[.][copy_child]") {
    CopyFixture copy(std::getenv("COPY_CHILD_SOURCE"), std::getenv("COPY_CHILD_TARGET"));
    CHECK(copy.copy().rows_received == 1);
    copy.run(copy.target.command("COMMIT"));
}

TEST_CASE("one value of 200 MB passes, and memory stays within rules.md section 11", "[alone]") {
    constexpr long value_mb = 200;
    Pair pair("a int, b text", "select 1, repeat('0123456789', " + std::to_string(value_mb * 100'000) + ")");
    tests::ProgramOptions options;
    options.env = {{"COPY_CHILD_SOURCE", pair.source.conninfo()},
                   {"COPY_CHILD_TARGET", pair.target.conninfo()}};
    tests::Program child({"/proc/self/exe", "[copy_child]"}, options);
    const tests::ProgramResult result = child.wait();
    INFO(result.text());
    REQUIRE(result.ok());
    CHECK(pair.target.value("select sum(length(b)) from t") == std::to_string(value_mb * 1'000'000));
    // --memory (16 MiB here), 32 MiB, and twice the row for libpq.
    const long limit_kib = (16 + 32) * 1024 + 2 * value_mb * 1'000'000 / 1024;
    WARN("peak RSS " << result.peak_rss_kib << " KiB of " << limit_kib);
    CHECK(result.peak_rss_kib <= limit_kib);
}

TEST_CASE("rows that the target swallows are missed at the end of the copy") {
    Pair pair("a int, b text", "select g, 'x' from generate_series(1, 100) g");
    pair.target.sql(
        "create function swallow() returns trigger language plpgsql as 'begin if new.a % 2 = 0 then "
        "return null; end if; return new; end';"
        "create trigger swallow before insert on t for each row execute function swallow()");
    CopyFixture copy(pair.source.conninfo(), pair.target.conninfo());
    const Error error = copy.failure();
    CHECK(error.kind() == ErrorKind::verification);
    CHECK(error.message() == "the source sent 100 rows, the target took 50");
    CHECK(error.object() == "table public.t");
}
