// What the server tests of pq share: loops to run on, and the options of a session.
#pragma once
#include <chrono>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "flow/stop.hpp"
#include "pq/connection.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace pgsluice::tests {

using namespace std::chrono_literals;
using flow::Task;

struct PqFixture {
    flow::Loops loops{1, 2};

    pq::SessionOptions options(pq::Side side = pq::Side::target) const {
        pq::SessionOptions made;
        made.side = side;
        made.helpers = loops.helpers();
        return made;
    }

    template <class T>
    T run(Task<T> task) const {
        return flow::run_blocking(loops, std::move(task));
    }

    pq::Connection open(const std::string& conninfo, pq::Side side = pq::Side::target) const {
        return run(pq::Connection::open(pq::Conninfo::parse(conninfo), options(side)));
    }

    // The error of a task that must fail.
    template <class T>
    Error error_of(Task<T> task) const {
        try {
            run(std::move(task));
        } catch (const Error& error) {
            return error;
        }
        FAIL("no error");
        return Error{ErrorKind::internal, ""};
    }
};

// COPY OUT to its end; every read through a buffer of `capacity`.
inline Task<std::string> copy_all(pq::Connection* connection, std::string sql, std::size_t capacity,
                                  pq::CopyFormat format = pq::CopyFormat::text) {
    pq::CopyOut copy = co_await connection->copy_out(std::move(sql), format);
    std::string all, buffer(capacity, '\0');
    for (;;) {
        const std::size_t bytes = co_await copy.read(buffer.data(), buffer.size());
        if (bytes == 0) break;
        all.append(buffer, 0, bytes);
    }
    if (format == pq::CopyFormat::text) CHECK(copy.rows() == copy.rows_seen());
    co_return all;
}

inline Task<std::uint64_t> copy_text(pq::Connection* connection, std::string sql, std::string text) {
    pq::CopyIn copy = co_await connection->copy_in(std::move(sql));
    co_await copy.put(text);
    co_return co_await copy.finish();
}

} // namespace pgsluice::tests
