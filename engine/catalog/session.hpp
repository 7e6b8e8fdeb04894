// The reader's view of its connection: runs one catalog query at a time and hands out its rows.
#pragma once
#include <string>

#include "catalog/answer_row.hpp"
#include "catalog/catalog.hpp"

namespace pgsluice::catalog {

struct Session {
    pq::Connection& connection;
    ReadOptions options;
    int server_major = 0;
    std::size_t rows_read = 0;
};

// "reading tables: ..." before the message of whatever goes wrong.
flow::Task<pq::Rows> query(Session& session, std::string sql, std::string doing);

// A transaction of its own on the snapshot of ReadOptions; nothing when everything runs in the caller's.
flow::Task<void> begin(Session& session);
flow::Task<void> end(Session& session);

// "select <columns> <from>" for this server's major.
std::string select_text(const kinds::Query& query, int server_major);

// '{1,2,3}'::pg_catalog.oid[]
std::string oid_array(const std::vector<model::Oid>& oids);

} // namespace pgsluice::catalog
