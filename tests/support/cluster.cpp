#include "support/cluster.hpp"

#include "support/program.hpp"
#include "support/session.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace pgsluice::tests {
namespace {

const std::string script = PGSLUICE_SOURCE_DIR "/cmake/throwaway";

ProgramOptions with_binaries(const std::string& binaries) {
    ProgramOptions options;
    if (!binaries.empty()) options.env.emplace_back("PGBIN", binaries);
    return options;
}

} // namespace

std::string conninfo_value(const std::string& value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

TestCluster::TestCluster(const ClusterOptions& options) : scram_(options.scram) {
    std::vector<std::string> args = {script, "start", "--owner-pid", std::to_string(::getpid())};
    if (scram_) args.insert(args.end(), {"--auth", "scram"});
    for (const std::string& setting : options.settings) args.insert(args.end(), {"-c", setting});
    for (const std::string& line : options.hba) args.insert(args.end(), {"--hba", line});
    for (const std::string& line : options.environment) args.insert(args.end(), {"--env", line});
    read_facts(output_of(args, with_binaries(options.binaries)));
}

TestCluster::~TestCluster() {
    try {
        run_program({script, "stop", directory_});
    } catch (const std::exception&) {
        // The watchdog stops it when this process ends.
    }
}

// Destroyed at exit, so that nothing is left while the watchdog still sleeps.
TestCluster& TestCluster::shared() {
    static TestCluster cluster;
    return cluster;
}

TestCluster& TestCluster::shared_target() {
    static TestCluster cluster;
    return cluster;
}

void TestCluster::read_facts(const std::string& text) {
    std::map<std::string, std::string> facts;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const auto equal = line.find('=');
        if (equal != std::string::npos) facts[line.substr(0, equal)] = line.substr(equal + 1);
    }
    directory_ = facts["DIR"];
    data_ = facts["DATA"];
    socket_ = facts["SOCKET"];
    host_ = facts["HOST"];
    port_ = facts["PORT"];
    log_ = facts["LOG"];
    superuser_ = facts["SUPERUSER"];
    password_ = scram_ ? facts["PASSWORD"] : "";
    pid_ = std::stoi(facts["PID"]);
}

std::string TestCluster::log() const {
    std::ifstream file{log_};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::string TestCluster::role(const std::string& name, const std::string& attributes) {
    if (std::find(roles_.begin(), roles_.end(), name) != roles_.end()) return name;
    Session session{superuser_conninfo()};
    const std::string known = "select from pg_catalog.pg_roles where rolname = " + session.literal(name);
    std::string text = session.rows(known).empty() ? "create role " : "alter role ";
    text += session.identifier(name) + " login " + attributes;
    if (scram_) text += " password " + session.literal(name);
    session.sql(text);
    roles_.push_back(name);
    return name;
}

std::string TestCluster::conninfo(const std::string& database, const std::string& user) const {
    std::string text = "host=" + host_ + " port=" + port_ + " dbname=" + conninfo_value(database) +
                       " user=" + conninfo_value(user);
    if (scram_) text += " password=" + conninfo_value(user == superuser_ ? password_ : user);
    return text;
}

std::string TestCluster::superuser_conninfo(const std::string& database) const {
    return conninfo(database, superuser_);
}

void TestCluster::sql(const std::string& text, const std::string& database) {
    ProgramOptions options;
    options.input = text;
    output_of({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", superuser_conninfo(database)}, options);
}

std::string TestCluster::value(const std::string& query, const std::string& database) {
    return Session{superuser_conninfo(database)}.value(query);
}

std::vector<std::string> TestCluster::databases() {
    Session session{superuser_conninfo()};
    std::vector<std::string> names;
    for (const auto& row : session.rows("select datname from pg_catalog.pg_database where not datistemplate"))
        names.push_back(row[0]);
    std::sort(names.begin(), names.end());
    return names;
}

void TestCluster::restart(const std::string& mode) {
    read_facts(output_of({script, "restart", directory_, mode}));
}

void TestCluster::halt(const std::string& mode) { output_of({script, "halt", directory_, mode}); }

std::vector<std::string> TestCluster::as_server_user(std::vector<std::string> args) const {
    args.insert(args.begin(), {script, "run-as", directory_});
    return args;
}

} // namespace pgsluice::tests
