// The SQL of the session profile (reference/pgdump-security.md section 3): every setting that changes what
// the server prints or when it gives up is set, never inherited from PGOPTIONS or ALTER ROLE. Pure.
#pragma once
#include <string>
#include <string_view>

namespace pgsluice::pq {

enum class Side;

// Several statements, one round trip; the empty search_path is the first of them.
std::string session_profile(Side side, int server_version, std::string_view application_name);

// Lets the server notice a killed client while it computes. Fails on platforms that cannot: to be ignored
// then. Empty where the version has no such setting.
std::string connection_check(Side side, int server_version);

} // namespace pgsluice::pq
