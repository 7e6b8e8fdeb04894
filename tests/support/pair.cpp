#include "support/pair.hpp"

namespace pgsluice::tests {

namespace {

DatabaseOptions of_app(const std::string& sql) {
    DatabaseOptions options;
    options.sql = sql;
    return options;
}

} // namespace

Pair::Pair(const std::string& source_sql, const std::string& target_sql)
    : Pair(of_app(source_sql), of_app(target_sql)) {}

Pair::Pair(const DatabaseOptions& source, const DatabaseOptions& target)
    : Pair(TestCluster::shared(), source, TestCluster::shared_target(), target) {}

Pair::Pair(TestCluster& source_cluster, const DatabaseOptions& source, TestCluster& target_cluster,
           const DatabaseOptions& target)
    : source_(std::make_unique<TestDatabase>(source_cluster, source)),
      target_(std::make_unique<TestDatabase>(target_cluster, target)) {}

std::string Pair::allowed() const { return target_->cluster().host() + "/" + target_->name(); }

std::vector<std::string> Pair::arguments(const std::string& command, std::vector<std::string> more) const {
    std::vector<std::string> args = {command};
    const bool target_only = command == "rollback" || command == "cleanup" || command == "history" ||
                             command == "pending" || command == "swap";
    if (!target_only) {
        args.push_back("--source");
        args.push_back(as_superuser_ ? source_->superuser_conninfo() : source_->conninfo());
    }
    args.push_back("--target");
    args.push_back(as_superuser_ ? target_->superuser_conninfo() : target_->conninfo());
    if (command == "refresh" || command == "plan" || command == "rollback" || command == "cleanup" ||
        command == "swap") {
        args.push_back("--allow-target");
        args.push_back(allowed());
    }
    args.insert(args.end(), more.begin(), more.end());
    return args;
}

ProgramResult Pair::run(const std::string& command, std::vector<std::string> more) const {
    return pgsluice(arguments(command, std::move(more)));
}

std::vector<std::string> Pair::leftovers() const {
    std::vector<std::string> found;
    for (const std::string& name : target_->cluster().databases())
        if (name.starts_with(target_->name() + "_pgsluice_")) found.push_back(name);
    return found;
}

} // namespace pgsluice::tests
