// A source and a target database, owned by roles that are no superusers, and refresh between them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "support/database.hpp"
#include "support/program.hpp"

namespace pgsluice::tests {

class Pair {
public:
    // The target starts as a copy of nothing: an empty database of its own role.
    explicit Pair(const std::string& source_sql = {}, const std::string& target_sql = {});
    Pair(const DatabaseOptions& source, const DatabaseOptions& target);
    // On servers of the test's own, for what stops or loads them; names and owners as it wishes.
    Pair(TestCluster& source_cluster, const DatabaseOptions& source, TestCluster& target_cluster,
         const DatabaseOptions& target);

    TestDatabase& source() const { return *source_; }
    TestDatabase& target() const { return *target_; }
    // run() logs in as the servers' superusers from now on, in place of the owners.
    void connect_as_superuser() { as_superuser_ = true; }
    // HOST/DBNAME of the target, for --allow-target.
    std::string allowed() const;
    // `pgsluice <command> --source ... --target ...` with the one-run mark where the command writes.
    ProgramResult run(const std::string& command, std::vector<std::string> more = {}) const;
    std::vector<std::string> arguments(const std::string& command, std::vector<std::string> more = {}) const;
    // Databases of the target's server that this target's runs made, besides target and previous.
    std::vector<std::string> leftovers() const;

private:
    std::unique_ptr<TestDatabase> source_, target_;
    bool as_superuser_ = false;
};

} // namespace pgsluice::tests
