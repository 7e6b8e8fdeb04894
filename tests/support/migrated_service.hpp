// A service with Flyway for tests of migrations: the source at its first release, the target one ahead, with
// what people made there by hand.
#pragma once
#include <boost/json.hpp>

#include "support/database.hpp"
#include "support/pair.hpp"

namespace pgsluice::tests {

extern const std::string first_release;   // users, orders, an enum, and the history
extern const std::string additions;       // the next release: a column, a label, a table
extern const std::string rename_orders;   // or this
extern const std::string recorded;        // its entry, at the number that comes next on the target
extern const std::string recorded_behind; // the same, behind the source's entries
extern const std::string by_hand;         // a table with a foreign key, a view, an index

// The target's history has no repeatable entry, so that both sides use rank 2 for something else.
std::string ahead(const std::string& migration);

// The report of a refresh that must end with `code`.
boost::json::object run_refresh(const Pair& pair, std::vector<std::string> more, int code = 0);

// What plan prints, and of it the one history.
boost::json::object plan_of(const Pair& pair, std::vector<std::string> more = {});
boost::json::object history_of(const Pair& pair, const std::vector<std::string>& more = {});

// A file that psql runs, gone with the test.
struct SqlFile {
    explicit SqlFile(const std::string& sql);
    ~SqlFile();
    SqlFile(const SqlFile&) = delete;
    SqlFile& operator=(const SqlFile&) = delete;
    std::string command() const { return "psql -X -v ON_ERROR_STOP=1 -f " + path; }
    std::string path;
};

// Objects of pgsluice.pending, in one line.
std::string pending_of(const TestDatabase& database, const std::string& why);
bool there(const TestDatabase& database, const std::string& relation);

} // namespace pgsluice::tests
