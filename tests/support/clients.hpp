// Clients that write and read without pause while the database under them is exchanged, on bare libpq. Each
// statement sees one database whole or says what it saw instead.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice::tests {

// For both sides: a ledger that counts its entries. No client that sees one database whole finds them apart.
std::string ledger_sql(const std::string& label, int entries);

// What one client met since it was asked last.
struct Seen {
    long reads = 0, writes = 0;
    int ended = 0;                   // its session was ended: 57P01
    int unknown = 0;                 // its login found no such database: 3D000
    double away = 0;                 // seconds from an error to the next answer; the longest
    std::vector<std::string> labels; // of the databases it saw, as they followed each other
    std::vector<std::string> wrong;  // a mixture of two databases, or an error that no client may meet
};

class Clients {
public:
    Clients(std::string conninfo, int count);
    ~Clients();
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    // Once each client has had an answer since this call; what they saw since the call before.
    std::vector<Seen> take();

private:
    struct Client {
        std::mutex mutex;
        Seen seen;
        std::atomic<long> answers{0};
        std::thread thread;
    };
    void live(Client& client);

    std::string conninfo_;
    std::atomic<bool> stop_{false};
    std::vector<std::unique_ptr<Client>> clients_;
};

} // namespace pgsluice::tests
