// A database of its own for one test, owned by a role that is no superuser but has CREATEDB, as on
// managed services. Dropped at the end, with everything that pgsluice made beside it.
#pragma once
#include "support/cluster.hpp"

#include <string>
#include <vector>

namespace pgsluice::tests {

struct DatabaseOptions {
    std::string name;             // default: a new one
    std::string owner = "app";    // made when it is not there
    std::string sql;              // run as the owner
    std::string create_arguments; // after CREATE DATABASE name OWNER owner
};

class TestDatabase {
public:
    explicit TestDatabase(TestCluster& cluster = TestCluster::shared(), const DatabaseOptions& options = {});
    ~TestDatabase();
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    TestCluster& cluster() const { return cluster_; }
    const std::string& name() const { return name_; }
    const std::string& owner() const { return owner_; }
    std::string conninfo() const;           // as the owner
    std::string superuser_conninfo() const; // for looking, and for breaking things

    void sql(const std::string& text) const;           // as the owner, through psql: \copy and COPY work
    void superuser_sql(const std::string& text) const; // the same as superuser
    void sql_file(const std::string& path) const;      // as the owner; path below tests/
    std::string value(const std::string& query) const; // exactly one value, as superuser
    std::vector<std::vector<std::string>> rows(const std::string& query) const; // as superuser
    std::string lines(const std::string& query) const; // as superuser: "a|b\n" per row
    bool exists() const;

private:
    TestCluster& cluster_;
    std::string name_, owner_;
};

} // namespace pgsluice::tests
