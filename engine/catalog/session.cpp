#include "catalog/session.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "pq/quote.hpp"

namespace pgsluice::catalog {

flow::Task<pq::Rows> query(Session& session, std::string sql, std::string doing) {
    pq::Rows rows;
    try {
        rows = co_await session.connection.rows(std::move(sql));
    } catch (Error& error) {
        error.during("reading " + doing);
        throw;
    }
    session.rows_read += rows.size();
    if (session.rows_read > limits::catalog_rows_max)
        throw Error{ErrorKind::source,
                    fmt::format("the catalogs have more than {} rows", limits::catalog_rows_max)};
    co_return rows;
}

flow::Task<void> begin(Session& session) {
    if (session.options.snapshot.empty()) co_return;
    const auto lock_timeout =
        std::chrono::duration_cast<std::chrono::milliseconds>(limits::lock_timeout_default);
    std::string sql = "begin transaction isolation level repeatable read, read only;"
                      " set transaction snapshot " +
                      pq::quote_literal(session.options.snapshot) +
                      fmt::format("; set local lock_timeout = {}", lock_timeout.count());
    co_await session.connection.command(std::move(sql));
}

flow::Task<void> end(Session& session) {
    if (session.options.snapshot.empty()) co_return;
    co_await session.connection.command("commit");
}

} // namespace pgsluice::catalog
