#include "support/clients.hpp"

#include "support/session.hpp"
#include "support/text.hpp"

#include <chrono>
#include <optional>

namespace pgsluice::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Several statements of one query string are one transaction.
constexpr const char* write_sql = "update public.ledger set entries = entries + 1;"
                                  "insert into public.entry (label) select label from public.ledger";
// One statement is one snapshot.
constexpr const char* read_sql =
    "select l.label, l.entries = count(e.id) and bool_and(e.label = l.label), "
    "l.entries || ' entries, ' || count(e.id) || ' found, ' || min(e.label) || ' to ' || max(e.label) "
    "from public.ledger l left join public.entry e on true group by l.label, l.entries";

// A server that ends a session while a statement is on its way to it closes the socket with that statement
// unread: then the FATAL 57P01 can be lost on the client's side, and libpq only says that the connection is
// gone.
bool lost_without_a_word(const SqlError& error, bool broken) {
    const std::string text = error.what();
    return broken && error.sqlstate.empty() &&
           (contains(text, "server closed the connection unexpectedly") ||
            contains(text, "Connection reset by peer") || contains(text, "Broken pipe"));
}

// `broken`: the client was logged in, and its connection is gone.
void note_error(Seen& seen, const SqlError& error, bool broken) {
    const std::string text = error.what();
    if (error.sqlstate == "57P01" || contains(text, "terminating connection") ||
        lost_without_a_word(error, broken))
        ++seen.ended;
    else if (error.sqlstate.empty() && contains(text, "database \"") && contains(text, "does not exist"))
        ++seen.unknown;
    else
        seen.wrong.push_back(error.sqlstate + " " + text);
}

} // namespace

std::string ledger_sql(const std::string& label, int entries) {
    return "create table ledger (label text not null, entries bigint not null);"
           "create table entry (id bigint generated always as identity primary key, label text not null);"
           "insert into ledger values ('" +
           label + "', " + std::to_string(entries) + "); insert into entry (label) select '" + label +
           "' from generate_series(1, " + std::to_string(entries) + ");";
}

Clients::Clients(std::string conninfo, int count) : conninfo_(std::move(conninfo)) {
    for (int i = 0; i < count; ++i) {
        Client& client = *clients_.emplace_back(std::make_unique<Client>());
        client.thread = std::thread([this, &client] { live(client); });
    }
}

Clients::~Clients() {
    stop_ = true;
    for (const auto& client : clients_) client->thread.join();
}

void Clients::live(Client& client) {
    std::optional<Session> session;
    std::optional<Clock::time_point> away_since;
    while (!stop_) {
        try {
            if (!session) session.emplace(conninfo_);
            session->sql(write_sql);
            const auto rows = session->rows(read_sql);
            const std::lock_guard lock{client.mutex};
            Seen& seen = client.seen;
            ++seen.writes;
            ++seen.reads;
            ++client.answers;
            if (rows.size() != 1 || rows[0][1] != "t")
                seen.wrong.push_back(rows.empty() ? "an empty ledger" : rows[0][0] + ": " + rows[0][2]);
            else if (seen.labels.empty() || seen.labels.back() != rows[0][0])
                seen.labels.push_back(rows[0][0]);
            if (away_since)
                seen.away =
                    std::max(seen.away, std::chrono::duration<double>(Clock::now() - *away_since).count());
            away_since.reset();
        } catch (const SqlError& error) {
            if (!away_since) away_since = Clock::now();
            const bool broken = session && session->broken();
            session.reset();
            const std::lock_guard lock{client.mutex};
            note_error(client.seen, error, broken);
        }
        std::this_thread::sleep_for(2ms);
    }
}

std::vector<Seen> Clients::take() {
    std::vector<Seen> all;
    for (const auto& client : clients_) {
        const long before = client->answers;
        // The second answer began after this call.
        for (int tries = 0; tries < 3000 && client->answers < before + 2; ++tries)
            std::this_thread::sleep_for(10ms);
        const std::lock_guard lock{client->mutex};
        all.push_back(client->seen);
        if (client->answers < before + 2) all.back().wrong.emplace_back("no answer for 30 seconds");
        client->seen = Seen{};
    }
    return all;
}

} // namespace pgsluice::tests
