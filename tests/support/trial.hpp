// A run that must fail: the words it fails with, and that it leaves the target's server as it was.
#pragma once
#include "support/oracle.hpp"
#include "support/program.hpp"
#include "support/text.hpp"

#include <map>
#include <string>
#include <vector>

namespace pgsluice::tests {

// What a failed run must not change: the target's content and properties, and the list of databases.
class Untouched {
public:
    explicit Untouched(TestDatabase& target);
    void check() const; // Catch2 checks

private:
    TestDatabase& target_;
    std::vector<std::string> databases_;
    std::string properties_;
    StockDump dump_;
    std::map<std::string, std::string> checksums_;
};

// Two tables with rows and a sequence, on both sides alike.
extern const char* const small_database;

class Trial {
public:
    // On the shared servers, or on the test's own.
    explicit Trial(const std::string& source_sql = small_database,
                   const std::string& target_sql = small_database);
    Trial(TestCluster& source_cluster, const DatabaseOptions& source, TestCluster& target_cluster,
          const DatabaseOptions& target);

    TestDatabase& source() { return source_; }
    TestDatabase& target() { return target_; }
    std::string allowed() const; // HOST/DBNAME of the target
    std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const;
    ProgramResult refresh(const std::vector<std::string>& more = {},
                          const ProgramOptions& options = {}) const;
    // refresh ends with `code`, with a HINT and with each of `words` on standard error, and the target is
    // untouched.
    ProgramResult fails(int code, const std::vector<std::string>& words,
                        const std::vector<std::string>& more = {}, const ProgramOptions& options = {});
    // refresh succeeds and both databases are equal.
    ProgramResult succeeds(const std::vector<std::string>& more = {}, const ProgramOptions& options = {});

    // What --source, --target and --allow-target say; empty: the option is left out.
    std::string source_conninfo, target_conninfo, allow_target;

private:
    TestDatabase source_, target_;
};

// Catch2 checks on what a failed run said.
void expect_failure(const ProgramResult& result, int code, const std::vector<std::string>& words);

// Asks until `query` (as superuser) gives `wanted`, for half a minute at most; whether it did.
bool comes_true(const TestDatabase& database, const std::string& query, const std::string& wanted = "t");

} // namespace pgsluice::tests
