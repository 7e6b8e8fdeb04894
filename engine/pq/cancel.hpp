// Asks the server to cancel what a connection runs, without waiting for it.
#pragma once
#include "flow/task.hpp"

struct pg_conn;

namespace pgsluice::pq {

// PQcancel opens a connection of its own and blocks, at worst until the network gives up. So it gets a thread
// that may be left behind; a helper thread waits for it for limits::cancel_timeout, so that a process that
// ends has sent it.
void cancel_in_background(pg_conn* connection, const flow::Executor& helpers);

} // namespace pgsluice::pq
