// From what libpq and the server say to Error. Row values stay out: no CONTEXT ever, no DETAIL of classes 22
// and 23 or of anything that happened inside a COPY, and what class 22 quotes in its message is taken out.
#pragma once
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "pq/connection.hpp"

struct pg_result;
struct pg_conn;

namespace pgsluice::pq {

std::string_view side_name(Side side); // "source", "target"

// The server's answer to a statement.
Error server_error(const pg_result* result, Side side, bool inside_copy);

// SQLSTATEs after which the server has ended the session.
bool ends_session(std::string_view sqlstate);

// The socket is gone, or libpq gave up.
Error lost_connection(const pg_conn* connection, Side side);

// A connection that never came to be. `text` is libpq's message at verbosity VERBOSE (the SQLSTATE is only
// there).
Error connect_error(std::string_view text, Side side, const Conninfo& conninfo);

// Takes what may be a row's value out of the text of a class 22 error. For tests.
std::string without_values(std::string_view message);

} // namespace pgsluice::pq
