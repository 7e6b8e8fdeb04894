#include "support/proxy.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace pgsluice::tests {
namespace {

constexpr int poll_ms = 20;

sockaddr_in local(const std::string& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    return address;
}

sockaddr* generic(sockaddr_in& address) {
    void* const pointer = &address;
    return static_cast<sockaddr*>(pointer);
}

} // namespace

Proxy::Proxy(const TestCluster& cluster) : server_port_(cluster.port()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = local("0");
    socklen_t size = sizeof address;
    if (::bind(listener_, generic(address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic(address), &size) != 0)
        throw std::runtime_error{"the proxy cannot listen"};
    port_ = std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
    stop_ = true;
    thread_.join();
    cut();
    ::close(listener_);
}

std::string Proxy::conninfo(const std::string& database, const std::string& user) const {
    return "host=127.0.0.1 port=" + port_ + " dbname=" + conninfo_value(database) +
           " user=" + conninfo_value(user);
}

void Proxy::close(const Link& link) const {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    for (const int socket : {link.client, link.server}) {
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        ::close(socket);
    }
}

int Proxy::cut() {
    const std::lock_guard guard(mutex_);
    const int count = static_cast<int>(links_.size());
    for (const Link& link : links_) close(link);
    links_.clear();
    return count;
}

// One chunk, when the other side can take it: backpressure passes through. False at the end of the
// connection.
bool Proxy::forward(int from, int to) const {
    pollfd writable = {.fd = to, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) <= 0) {
        ::usleep(200);
        return true;
    }
    std::array<char, 16 * 1024> buffer{};
    const ssize_t size = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    for (ssize_t sent = 0; sent < size;) {
        const ssize_t now =
            ::send(to, buffer.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
        if (now < 0) return false;
        sent += now;
    }
    return size > 0;
}

void Proxy::run() {
    while (!stop_) {
        std::vector<pollfd> waiting = {{.fd = listener_, .events = POLLIN, .revents = 0}};
        {
            const std::lock_guard guard(mutex_);
            for (const Link& link : links_)
                for (const int socket : {link.client, link.server})
                    waiting.push_back({.fd = socket, .events = POLLIN, .revents = 0});
        }
        if (::poll(waiting.data(), waiting.size(), poll_ms) <= 0) continue;
        const std::lock_guard guard(mutex_);
        if (waiting[0].revents != 0) {
            Link link;
            link.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            link.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in server = local(server_port_);
            if (::connect(link.server, generic(server), sizeof server) == 0)
                links_.push_back(link);
            else
                close(link);
        }
        std::erase_if(links_, [&](const Link& link) {
            const bool open = forward(link.client, link.server) && forward(link.server, link.client);
            if (!open) close(link);
            return !open;
        });
    }
}

} // namespace pgsluice::tests
