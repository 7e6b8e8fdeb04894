// What every step of a run shares: its id, options, connections' addresses, report, observer and threads.
// Lives on the main loop from the first connection to the report; lanes get what they need by value or by
// const reference.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/options.hpp"
#include "flow/loops.hpp"
#include "pq/connection.hpp"
#include "pq/conninfo.hpp"
#include "report/event.hpp"
#include "report/report.hpp"

namespace pgsluice::run {

using flow::Task;

// Which conninfos a command needs.
enum class Sides { both, target };

struct Context {
    // Parses the conninfos; throws Error{usage} for a bad one and for a missing database name.
    Context(RefreshOptions wanted, report::Observer& listener, flow::Loops& threads,
            Sides sides = Sides::both);

    RefreshOptions options;
    report::Observer& observer;
    flow::Loops& loops;
    std::string run_id;
    pq::Conninfo source, target; // the target's with the named database
    pq::Conninfo maintenance;    // the target's server, another database; set by open_maintenance()
    report::RefreshReport report;
    std::chrono::steady_clock::time_point began;

    std::string target_database() const { return target.database(); }
    // The profile of a session on that side, for pq::Connection::open().
    pq::SessionOptions session(pq::Side side) const;

    // Main loop only. Each emits the event; notes and remarks are kept for the report.
    void step(std::string text);
    void note(std::string object, std::string text);
    void remark(std::string object, std::string text, std::string hint = {}, std::string sql = {});
    void emit(const report::Event& event) { observer.on(event); }
};

// Sessions with the right profile (pq::SessionOptions). The target's remember the password that libpq found,
// so that it serves every database of that server (rules.md section 6).
Task<pq::Connection> open_source(Context& context);
Task<pq::Connection> open_target(Context& context, std::string database);
// --maintenance-db, else postgres, else any other database that we may connect to, template1 last. Remembers
// the choice.
Task<pq::Connection> open_maintenance(Context& context);

} // namespace pgsluice::run
