// Exchanges two database names in one transaction while clients write (rules.md section 4). ALLOW_CONNECTIONS
// and CONNECTION LIMIT are never touched.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

struct SwapNames {
    std::string target;   // the name clients use
    std::string incoming; // the database that gets it
    std::string
        previous; // the name that the target's present database gets; may be the same as incoming's
                  // (rollback): then a third, derived name is used in between, in the same transaction
};

struct SwapResult {
    std::chrono::steady_clock::duration away{}; // from the first rename's lock until COMMIT was confirmed
    int sessions_ended = 0;
};

// Our own session in the target whose locks keep what was written there from being lost: it alone is spared,
// until nobody else is left and nobody can come. With it closed the swap is not tried again.
struct LastSession {
    int server_process = 0;            // as pg_stat_activity knows it
    std::function<Task<void>()> check; // right before it closes; what it throws ends the swap
    std::function<void()> close;       // empty: there is none
};

// `a` renames, `b` ends sessions; both are in a database that is none of the three. Signals wait from the
// moment at which nobody is left in either database until the outcome is known; before, a stop rolls the
// attempt back. If the connection is lost there, a new one looks which oid has the target's name. Fails with
// Error{refused} (target untouched) that names the sessions which may not be ended, or Error{attention} with
// the command to run when the outcome stays unknown.
Task<SwapResult> swap_databases(Context& context, pq::Connection& a, pq::Connection& b, SwapNames names,
                                LastSession last);

// What refuses a swap by name: replication slots in use, prepared transactions, subscriptions bound to the
// database.
Task<void> refuse_bound_database(pq::Connection& maintenance, std::string database);

} // namespace pgsluice::run
