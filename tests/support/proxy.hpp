// A TCP proxy in front of a test server, whose connections can be cut: a network that fails.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/cluster.hpp"

namespace pgsluice::tests {

class Proxy {
public:
    explicit Proxy(const TestCluster& cluster);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    const std::string& port() const { return port_; }
    std::string conninfo(const std::string& database, const std::string& user) const;
    // Ends every connection with a reset; new ones are let through. How many there were.
    int cut();

private:
    void run();
    struct Link {
        int client = -1, server = -1;
    };
    bool forward(int from, int to) const;
    void close(const Link& link) const;

    int listener_ = -1;
    std::string port_, server_port_;
    std::mutex mutex_; // of links_
    std::vector<Link> links_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

} // namespace pgsluice::tests
