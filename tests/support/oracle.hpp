// What decides whether two databases are equal: stock pg_dump and the servers themselves, never our code.
#pragma once
#include "support/database.hpp"

#include <map>
#include <string>

namespace pgsluice::tests {

// The dump of stock pg_dump, as a set of entries: schema pgsluice left out, rows of a table sorted, the
// statements of an ACL sorted, entries sorted by their heading (their order follows oids where names tie).
// The key is the heading, "Name: t; Type: TABLE; Schema: public; Owner: app".
using StockDump = std::map<std::string, std::string>;
StockDump stock_dump(const std::string& conninfo);
StockDump parse_stock_dump(const std::string& text);

// Schema-qualified table (materialized views too) -> "rows:checksum", as the server itself computes it.
std::map<std::string, std::string> table_checksums(const std::string& conninfo);

// Owner, encoding, locale, connection limit, ACL, comment and settings: what pg_dump leaves out.
std::string database_properties(TestCluster& cluster, const std::string& name);

// Empty when equal; else what differs first, in a few lines.
std::string first_difference(const StockDump& expected, const StockDump& actual);

// A Catch2 check: dumps and checksums are equal, sequences too (their values are in the dump).
void expect_equal_databases(const std::string& expected_conninfo, const std::string& actual_conninfo);
void expect_equal_databases(const TestDatabase& expected, const TestDatabase& actual);

} // namespace pgsluice::tests
