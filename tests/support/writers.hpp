// Clients that insert, change and delete people and their roles without pause while the database under them
// is exchanged, and remember what the server confirmed. On bare libpq.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice::tests {

class Session;

// The tables, empty: ids from sequences, a role needs its person.
extern const char* const people_sql;

class Writers {
public:
    Writers(std::string conninfo, int count);
    ~Writers();
    Writers(const Writers&) = delete;
    Writers& operator=(const Writers&) = delete;

    void stop(); // returns when the last client has ended
    // After stop(): what was confirmed and is not so in this database, a line each, twenty at most.
    std::vector<std::string> missing(const std::string& conninfo) const;
    long confirmed() const;                 // transactions so far
    long unknown() const;                   // those whose COMMIT was not answered
    int sessions() const;                   // logins so far
    std::vector<std::string> wrong() const; // errors that no client may meet

private:
    struct Person {
        std::string note;
        std::set<std::string> roles;
        bool operator==(const Person&) const = default;
    };
    struct Client {
        std::mutex mutex;
        std::map<std::string, Person> people; // by name, as confirmed
        std::set<std::string> gone, doubtful; // names
        std::vector<std::string> wrong;
        long confirmed = 0, unknown = 0, made = 0;
        int sessions = 0;
        std::mt19937 random;
        std::thread thread;
    };
    void live(int number, Client& client);
    void write(int number, Client& client, Session& session);

    std::string conninfo_;
    std::atomic<bool> stop_{false};
    std::vector<std::unique_ptr<Client>> clients_;
};

} // namespace pgsluice::tests
