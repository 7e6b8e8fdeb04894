// Rows of a table from one database to another: the engine's copy_range next to a bare blocking libpq relay
// (PQgetCopyData, PQputCopyData, nothing else), in both formats. Both servers must be on this machine: their
// CPU is read from /proc. bench/relay makes servers and tables and runs it.
//
//   relay_bench SOURCE-CONNINFO TARGET-CONNINFO ROUNDS TABLE...
#include <charconv>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

#include <libpq-fe.h>

#include "base/limits.hpp"
#include "flow/stop.hpp"
#include "pq/connection.hpp"
#include "rows/copy.hpp"
#include "samples.hpp"

using namespace pgsluice;
using flow::Task;

namespace {

struct Measured {
    bench::Samples wall, client, source, target;
    double megabytes = 0;
};

using Handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

Handle connect(const char* conninfo) {
    Handle handle(PQconnectdb(conninfo), PQfinish);
    if (PQstatus(handle.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle.get()));
    return handle;
}

void expect(PGconn* connection, PGresult* result, ExecStatusType wanted) {
    const Answer answer(result, PQclear);
    if (PQresultStatus(result) != wanted) throw std::runtime_error(PQerrorMessage(connection));
}

void command(PGconn* connection, const std::string& sql) {
    const Answer answer(PQexec(connection, sql.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection));
}

std::string single(PGconn* connection, const std::string& sql) {
    const Answer answer(PQexec(connection, sql.c_str()), PQclear);
    if (PQntuples(answer.get()) != 1) throw std::runtime_error(PQerrorMessage(connection));
    return PQgetvalue(answer.get(), 0, 0);
}

double to_double(const std::string& text) {
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// What the clocks say between start and stop.
class Clocks {
public:
    Clocks(int source_pid, int target_pid)
        : source_pid_(source_pid), target_pid_(target_pid), wall_(bench::wall_now()),
          client_(bench::own_cpu_now()), source_(bench::cpu_of(source_pid)),
          target_(bench::cpu_of(target_pid)) {}
    void stop(Measured& into, std::uint64_t bytes) const {
        into.wall.add(bench::wall_now() - wall_);
        into.client.add(bench::own_cpu_now() - client_);
        into.source.add(bench::cpu_of(source_pid_) - source_);
        into.target.add(bench::cpu_of(target_pid_) - target_);
        into.megabytes = static_cast<double>(bytes) * 1e-6;
    }

private:
    int source_pid_, target_pid_;
    double wall_, client_, source_, target_;
};

void bare_relay(PGconn* source, PGconn* target, const model::TableRows& table, rows::Format format,
                Measured& into) {
    const Clocks clocks(PQbackendPID(source), PQbackendPID(target));
    std::uint64_t bytes = 0;
    expect(source, PQexec(source, rows::copy_out_sql(table, {}, format).c_str()), PGRES_COPY_OUT);
    expect(target, PQexec(target, rows::copy_in_sql(table, format).c_str()), PGRES_COPY_IN);
    char* row = nullptr;
    for (int size = 0; (size = PQgetCopyData(source, &row, 0)) > 0;) {
        bytes += static_cast<std::uint64_t>(size);
        const int taken = PQputCopyData(target, row, size);
        PQfreemem(row);
        if (taken != 1) throw std::runtime_error(PQerrorMessage(target));
    }
    expect(source, PQgetResult(source), PGRES_COMMAND_OK);
    PQputCopyEnd(target, nullptr);
    expect(target, PQgetResult(target), PGRES_COMMAND_OK);
    while (PGresult* rest = PQgetResult(source)) PQclear(rest);
    while (PGresult* rest = PQgetResult(target)) PQclear(rest);
    clocks.stop(into, bytes);
}

struct Engine {
    flow::Loops loops{1, 2};
    rows::Budget budget{limits::memory_bytes_default, 1};
    pq::Connection source, target;

    Engine(const char* from, const char* to)
        : source(open(from, pq::Side::source)), target(open(to, pq::Side::target)) {}

    pq::Connection open(const char* conninfo, pq::Side side) {
        pq::SessionOptions options;
        options.side = side;
        options.helpers = loops.helpers();
        return flow::run_blocking(loops, pq::Connection::open(pq::Conninfo::parse(conninfo), options));
    }

    void relay(const model::TableRows& table, rows::Format format, Measured& into) {
        rows::CopyOptions options;
        options.table = &table;
        options.format = format;
        options.loop = loops.main();
        options.helpers = loops.helpers();
        options.budget = &budget;
        const Clocks clocks(source.backend_pid(), target.backend_pid());
        const rows::CopyResult result = flow::run_blocking(loops, rows::copy_range(source, target, options));
        clocks.stop(into, result.bytes);
    }
};

model::TableRows describe(PGconn* source, const std::string& name) {
    model::TableRows table;
    table.schema = "public";
    table.name = name;
    table.binary_safe = true;
    const std::string literal = "'public." + name + "'::regclass";
    const Answer columns(
        PQexec(source, ("select attname from pg_attribute where attnum > 0 and not attisdropped "
                        "and attrelid = " +
                        literal + " order by attnum")
                           .c_str()),
        PQclear);
    for (int i = 0; i < PQntuples(columns.get()); ++i)
        table.columns.emplace_back(PQgetvalue(columns.get(), i, 0));
    table.rows = to_double(single(source, "select reltuples from pg_class where oid = " + literal));
    table.bytes =
        static_cast<std::uint64_t>(to_double(single(source, "select pg_table_size(" + literal + ")")));
    return table;
}

void print(const std::string& name, const Measured& m) {
    fmt::print(
        "  {:<14} {:>6.0f} MB  wall {:<18} client {:<18} = {:>5.2f} ms/MB  source {:<18} target {:<18} "
        "servers {:.2f}\n",
        name, m.megabytes, m.wall.text(), m.client.text(), m.client.median() / m.megabytes * 1e3,
        m.source.text(), m.target.text(), m.source.median() + m.target.median());
    std::fflush(stdout);
}

void measure(const char* from, const char* to, int rounds, const std::string& name) {
    const Handle source = connect(from), target = connect(to);
    const model::TableRows table = describe(source.get(), name);
    Engine engine(from, to);
    std::map<std::string, Measured> all;
    for (int round = 0; round < rounds; ++round) {
        for (const rows::Format format : {rows::Format::text, rows::Format::binary}) {
            const std::string kind = format == rows::Format::text ? " text" : " binary";
            // A checkpoint of the round before would be counted as ours.
            command(target.get(), "truncate public." + name);
            command(target.get(), "checkpoint");
            bare_relay(source.get(), target.get(), table, format, all["bare" + kind]);
            command(target.get(), "truncate public." + name);
            command(target.get(), "checkpoint");
            engine.relay(table, format, all["engine" + kind]);
        }
    }
    const bool binary = rows::choose_format(table, 150000, 150000) == rows::Format::binary;
    fmt::print("{}: {} columns, {:.0f} rows, {:.0f} bytes of heap each; choose_format says {}\n", name,
               table.columns.size(), table.rows, static_cast<double>(table.bytes) / table.rows,
               binary ? "binary" : "text");
    for (const auto& [what, measured] : all) print(what, measured);
}

} // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fputs("relay_bench SOURCE-CONNINFO TARGET-CONNINFO ROUNDS TABLE...\n", stderr);
        return 2;
    }
    try {
        for (int i = 4; i < count; ++i)
            measure(arguments[1], arguments[2], static_cast<int>(to_double(arguments[3])), arguments[i]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "relay_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
