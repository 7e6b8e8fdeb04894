#include "support/pgbouncer.hpp"

#include "support/session.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace pgsluice::tests {
namespace {

// A port that was free a moment ago; who loses the race tries again.
std::string free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    void* const generic = &address;
    if (::bind(probe, static_cast<sockaddr*>(generic), size) != 0 ||
        ::getsockname(probe, static_cast<sockaddr*>(generic), &size) != 0)
        throw std::runtime_error{"no free port"};
    ::close(probe);
    return std::to_string(ntohs(address.sin_port));
}

bool answers(const std::string& conninfo) {
    try {
        const Session session{conninfo + " connect_timeout=5"};
        return true;
    } catch (const SqlError&) {
        return false;
    }
}

} // namespace

Pgbouncer::Pgbouncer(TestCluster& cluster, PoolMode mode, const std::vector<std::string>& users) {
    std::string pattern = std::filesystem::temp_directory_path() / "pgbouncer-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temp directory"};
    directory_ = pattern;
    std::filesystem::permissions(directory_, std::filesystem::perms{0755});
    {
        std::ofstream list{directory_ + "/users"};
        list << '"' << cluster.superuser() << "\" \"\"\n\"app\" \"\"\n";
        for (const std::string& user : users) list << '"' << user << "\" \"\"\n";
    }
    for (int attempt = 0; attempt < 5; ++attempt) {
        port_ = free_port();
        std::ofstream{directory_ + "/pgbouncer.ini"}
            << "[databases]\n* = host=" << cluster.host() << " port=" << cluster.port()
            << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
            << "\nunix_socket_dir =\nauth_type = trust\nauth_file = " << directory_
            << "/users\npool_mode = " << (mode == PoolMode::session ? "session" : "transaction")
            << "\nmax_client_conn = 200\n";
        ProgramOptions options;
        options.timeout = std::chrono::hours(1);
        program_ = std::make_unique<Program>(
            cluster.as_server_user({"pgbouncer", directory_ + "/pgbouncer.ini"}), options);
        for (int wait = 0; wait < 100 && program_->running(); ++wait) {
            if (answers(conninfo("postgres", cluster.superuser()))) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }
    throw std::runtime_error{"pgbouncer did not start: " + program_->wait().text()};
}

Pgbouncer::~Pgbouncer() {
    program_->send(SIGTERM);
    program_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string Pgbouncer::conninfo(const std::string& database, const std::string& user) const {
    return "host=127.0.0.1 port=" + port_ + " dbname=" + conninfo_value(database) +
           " user=" + conninfo_value(user);
}

} // namespace pgsluice::tests
