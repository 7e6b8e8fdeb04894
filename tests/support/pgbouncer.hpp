// Debian's pgbouncer in front of a test cluster with authentication "trust".
#pragma once
#include "support/cluster.hpp"
#include "support/program.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pgsluice::tests {

enum class PoolMode { session, transaction };

class Pgbouncer {
public:
    // `users`: who may log in through it, next to the superuser and "app".
    Pgbouncer(TestCluster& cluster, PoolMode mode, const std::vector<std::string>& users = {});
    ~Pgbouncer();
    Pgbouncer(const Pgbouncer&) = delete;
    Pgbouncer& operator=(const Pgbouncer&) = delete;

    std::string conninfo(const std::string& database, const std::string& user) const;

private:
    std::string directory_, port_;
    std::unique_ptr<Program> program_;
};

} // namespace pgsluice::tests
