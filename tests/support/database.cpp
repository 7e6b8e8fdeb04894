#include "support/database.hpp"

#include "support/program.hpp"
#include "support/session.hpp"

#include <atomic>

namespace pgsluice::tests {
namespace {

void psql(const std::string& conninfo, const std::string& text) {
    ProgramOptions options;
    options.input = text;
    output_of({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", conninfo},
              options);
}

std::string next_name() {
    static std::atomic<int> number{0};
    return "db" + std::to_string(++number);
}

// The database, and what a run or a swap of it leaves: name_previous and name_pgsluice_<run id>.
void drop_all(TestCluster& cluster, const std::string& name) {
    Session session{cluster.superuser_conninfo()};
    const std::string own = session.literal(name);
    const auto found = session.rows(
        "select datname from pg_catalog.pg_database where datname = " + own + " or datname = " + own +
        " || '_previous' or pg_catalog.starts_with(datname, " + own + " || '_pgsluice_')");
    for (const auto& row : found)
        session.sql("drop database " + session.identifier(row[0]) + " with (force)");
}

} // namespace

TestDatabase::TestDatabase(TestCluster& cluster, const DatabaseOptions& options)
    : cluster_(cluster), name_(options.name.empty() ? next_name() : options.name),
      owner_(cluster.role(options.owner)) {
    Session session{cluster_.superuser_conninfo()};
    session.sql("create database " + session.identifier(name_) + " owner " + session.identifier(owner_) +
                " " + options.create_arguments);
    if (!options.sql.empty()) sql(options.sql);
}

TestDatabase::~TestDatabase() {
    try {
        drop_all(cluster_, name_);
    } catch (const std::exception&) {
        // The server may be halted or gone: it is thrown away anyway.
    }
}

std::string TestDatabase::conninfo() const { return cluster_.conninfo(name_, owner_); }
std::string TestDatabase::superuser_conninfo() const { return cluster_.superuser_conninfo(name_); }

void TestDatabase::sql(const std::string& text) const { psql(conninfo(), text); }
void TestDatabase::superuser_sql(const std::string& text) const { psql(superuser_conninfo(), text); }

void TestDatabase::sql_file(const std::string& path) const {
    output_of({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", conninfo(), "-f",
               PGSLUICE_SOURCE_DIR "/tests/" + path});
}

std::string TestDatabase::value(const std::string& query) const {
    return Session{superuser_conninfo()}.value(query);
}

std::vector<std::vector<std::string>> TestDatabase::rows(const std::string& query) const {
    return Session{superuser_conninfo()}.rows(query);
}

std::string TestDatabase::lines(const std::string& query) const {
    return Session{superuser_conninfo()}.lines(query);
}

bool TestDatabase::exists() const {
    Session session{cluster_.superuser_conninfo()};
    return !session.rows("select from pg_catalog.pg_database where datname = " + session.literal(name_))
                .empty();
}

} // namespace pgsluice::tests
