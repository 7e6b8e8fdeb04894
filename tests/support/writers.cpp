#include "support/writers.hpp"

#include "support/session.hpp"
#include "support/text.hpp"

#include <chrono>
#include <optional>

namespace pgsluice::tests {

const char* const people_sql = R"(
create table people (id bigserial primary key, name text not null unique, note text not null);
create table person_role (id bigint generated always as identity primary key,
    person bigint not null references people, role text not null, unique (person, role));
)";

namespace {

using namespace std::chrono_literals;

bool may_happen(const SqlError& error) {
    const std::string text = error.what();
    return error.sqlstate == "57P01" || contains(text, "terminating connection") ||
           (error.sqlstate.empty() &&
            (contains(text, "does not exist") || contains(text, "server closed the connection") ||
             contains(text, "reset by peer") || contains(text, "Broken pipe")));
}

} // namespace

Writers::Writers(std::string conninfo, int count) : conninfo_(std::move(conninfo)) {
    for (int i = 0; i < count; ++i) {
        Client& client = *clients_.emplace_back(std::make_unique<Client>());
        client.random.seed(static_cast<unsigned>(i));
        client.thread = std::thread([this, i, &client] { live(i, client); });
    }
}

Writers::~Writers() { stop(); }

void Writers::stop() {
    stop_ = true;
    for (const auto& client : clients_)
        if (client->thread.joinable()) client->thread.join();
}

void Writers::live(int number, Client& client) {
    std::optional<Session> session;
    while (!stop_) {
        try {
            if (!session) {
                session.emplace(conninfo_);
                const std::lock_guard lock{client.mutex};
                ++client.sessions;
            }
            write(number, client, *session);
        } catch (const SqlError& error) {
            session.reset();
            const std::lock_guard lock{client.mutex};
            if (!may_happen(error)) client.wrong.push_back(error.sqlstate + " " + error.what());
        }
        std::this_thread::sleep_for(1ms);
    }
}

// One transaction: a new person with a role, or another note, one role more or less, or an end.
void Writers::write(int number, Client& client, Session& session) {
    const auto dice = [&](std::size_t sides) { return client.random() % sides; };
    std::string name = "client " + std::to_string(number) + " person " + std::to_string(client.made);
    Person person{"new", {"reader"}};
    bool ends = false;
    session.sql("begin");
    if (client.people.empty() || dice(10) < 5) {
        ++client.made;
        session.sql("insert into people (name, note) values (" + session.literal(name) + ", 'new')");
        session.sql("insert into person_role (person, role) values (currval('people_id_seq'), 'reader')");
    } else {
        auto known = client.people.begin();
        std::advance(known, static_cast<long>(dice(client.people.size())));
        name = known->first;
        person = known->second;
        const std::string of_name = "(select id from people where name = " + session.literal(name) + ")";
        const std::size_t what = dice(10);
        if (what < 4) {
            person.note = "note " + std::to_string(client.random());
            session.sql("update people set note = " + session.literal(person.note) +
                        " where name = " + session.literal(name));
        } else if (what < 6 && !person.roles.contains("writer")) {
            person.roles.insert("writer");
            session.sql(
                "insert into person_role (person, role) select id, 'writer' from people where name = " +
                session.literal(name));
        } else if (what < 8) {
            person.roles.erase("reader");
            session.sql("delete from person_role where role = 'reader' and person = " + of_name);
        } else {
            ends = true;
            session.sql("delete from person_role where person = " + of_name);
            session.sql("delete from people where name = " + session.literal(name));
        }
    }
    try {
        session.sql("commit");
    } catch (const SqlError&) {
        const std::lock_guard lock{client.mutex};
        ++client.unknown;
        client.doubtful.insert(name);
        client.people.erase(name);
        client.gone.erase(name);
        throw;
    }
    const std::lock_guard lock{client.mutex};
    ++client.confirmed;
    client.people.erase(name);
    if (ends)
        client.gone.insert(name);
    else
        client.people[name] = person;
}

std::vector<std::string> Writers::missing(const std::string& conninfo) const {
    Session session{conninfo};
    std::map<std::string, Person> found;
    for (const auto& row : session.rows("select name, note from people")) found[row[0]].note = row[1];
    for (const auto& row :
         session.rows("select p.name, r.role from person_role r join people p on p.id = r.person"))
        found[row[0]].roles.insert(row[1]);
    std::vector<std::string> lines;
    for (const auto& client : clients_) {
        for (const auto& [name, person] : client->people) {
            const auto at = found.find(name);
            if (at == found.end())
                lines.push_back(name + " is not there");
            else if (!(at->second == person))
                lines.push_back(name + " is not as confirmed: " + at->second.note + ", " + person.note);
        }
        for (const std::string& name : client->gone)
            if (found.contains(name)) lines.push_back(name + " came back");
    }
    if (lines.size() > 20) lines.resize(20);
    return lines;
}

long Writers::confirmed() const {
    long all = 0;
    for (const auto& client : clients_) {
        const std::lock_guard lock{client->mutex};
        all += client->confirmed;
    }
    return all;
}

long Writers::unknown() const {
    long all = 0;
    for (const auto& client : clients_) {
        const std::lock_guard lock{client->mutex};
        all += client->unknown;
    }
    return all;
}

int Writers::sessions() const {
    int all = 0;
    for (const auto& client : clients_) {
        const std::lock_guard lock{client->mutex};
        all += client->sessions;
    }
    return all;
}

std::vector<std::string> Writers::wrong() const {
    std::vector<std::string> all;
    for (const auto& client : clients_) {
        const std::lock_guard lock{client->mutex};
        all.insert(all.end(), client->wrong.begin(), client->wrong.end());
    }
    return all;
}

} // namespace pgsluice::tests
