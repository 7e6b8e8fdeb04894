// Throwaway PostgreSQL servers for tests, made by cmake/throwaway. A watchdog removes them when this
// process is gone, whatever ended it.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::tests {

struct ClusterOptions {
    bool scram = false;                   // every connection needs a password
    std::vector<std::string> settings;    // "name=value" for postgresql.conf
    std::vector<std::string> hba;         // lines before all others of pg_hba.conf
    std::vector<std::string> environment; // "NAME=value" of the server
    std::string binaries;                 // another server's bin directory
};

class TestCluster {
public:
    explicit TestCluster(const ClusterOptions& options = {});
    ~TestCluster();
    TestCluster(const TestCluster&) = delete;
    TestCluster& operator=(const TestCluster&) = delete;

    // One server for all tests of this process, started by the first use. Its settings are the defaults
    // of cmake/throwaway with authentication "trust"; a test that changes the server makes its own.
    static TestCluster& shared();
    static TestCluster& shared_target(); // a second one, for tests that need two servers

    const std::string& host() const { return host_; }
    const std::string& port() const { return port_; }
    const std::string& socket_directory() const { return socket_; }
    const std::string& directory() const { return directory_; }
    const std::string& data_directory() const { return data_; }
    const std::string& superuser() const { return superuser_; }
    const std::string& password() const { return password_; } // the superuser's; empty with trust
    int postmaster_pid() const { return pid_; }
    std::string log() const; // the server's whole log

    // A role that logs in and is no superuser, made at the first call of this name. With scram its
    // password is its name.
    std::string role(const std::string& name, const std::string& attributes = "CREATEDB");
    // key=value, over TCP; a password is part of it with scram.
    std::string conninfo(const std::string& database, const std::string& user) const;
    std::string superuser_conninfo(const std::string& database = "postgres") const;

    void sql(const std::string& text, const std::string& database = "postgres"); // as superuser, by psql
    std::string value(const std::string& query, const std::string& database = "postgres");
    std::vector<std::string> databases(); // all but the templates, sorted

    void restart(const std::string& mode = "fast"); // same port; mode: fast, immediate
    void halt(const std::string& mode = "fast");    // restart() brings it back
    // A program run as the server's operating system user.
    std::vector<std::string> as_server_user(std::vector<std::string> args) const;

private:
    void read_facts(const std::string& text);
    std::string directory_, data_, socket_, host_, port_, log_, superuser_, password_;
    std::vector<std::string> roles_;
    bool scram_ = false;
    int pid_ = 0;
};

// 'value' as libpq reads it in a conninfo string.
std::string conninfo_value(const std::string& value);

} // namespace pgsluice::tests
