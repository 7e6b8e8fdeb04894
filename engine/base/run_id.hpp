// Run ids and the database names derived from a target's name (rules.md section 5).
#pragma once
#include <string>
#include <string_view>

namespace pgsluice {

// 8 random lower-case base32 characters (a-z, 2-7), from the system's generator.
std::string new_run_id();
bool is_run_id(std::string_view text);

// Both never pass 63 bytes: a long target name is cut at a character boundary and gets a hash of the whole
// name, since the server would cut in silence and two runs would meet in one database.
std::string beside_database_name(std::string_view target,
                                 std::string_view run_id);   // <target>_pgsluice_<run id>
std::string previous_database_name(std::string_view target); // <target>_previous

} // namespace pgsluice
