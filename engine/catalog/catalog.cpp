#include "catalog/catalog.hpp"

#include "catalog/steps.hpp"

namespace pgsluice::catalog {

namespace {

// Comments and edges find their objects through the lookups; both may change headers, never keys.
flow::Task<void> read_all(Session& session, model::Database& database) {
    co_await read_facts(session, database);
    co_await read_objects(session, database);
    database.index();
    co_await begin(session);
    co_await read_comments(session, database);
    co_await read_dependencies(session, database);
    co_await read_table_rows(session, database);
    co_await read_table_facts(session, database);
    co_await read_unsupported(session, database);
    co_await end(session);
    if (session.options.sequence_values) co_await read_sequence_values(session, database);
    database.index();
}

} // namespace

flow::Task<model::Database> read(pq::Connection& connection, const ReadOptions& options) {
    Session session{connection, options, connection.server_version() / 10000, 0};
    model::Database database;
    co_await read_all(session, database);
    co_return database;
}

} // namespace pgsluice::catalog
