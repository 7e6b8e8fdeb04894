// Keeps passwords out of argv, where every user of the machine can read them.
#pragma once
#include <string>
#include <string_view>

namespace pgsluice::cli {

// Whether a conninfo (URI or key=value) holds a password, also a private key's. Where the text cannot be read
// as a conninfo, any mention of a password counts.
bool holds_password(std::string_view conninfo);

// One word of a command line for a POSIX shell.
std::string shell_quote(std::string_view word);

} // namespace pgsluice::cli
