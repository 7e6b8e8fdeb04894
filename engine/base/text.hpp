// Text helpers that know UTF-8 and nothing of SQL (quoting is pq/quote.hpp).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice {

// At most `bytes_max` bytes of `text`, cut before a character, never inside one.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

// Control characters (and U+2028, U+2029, U+0085) become spaces: names in logs, SQL comments, progress
// lines. A hostile name can then neither start a line of its own nor move the cursor.
std::string one_line(std::string_view text);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// FNV-1a, 64 bits: the same on every machine and in every version, so names and lock keys derived from it
// last.
std::uint64_t stable_hash(std::string_view text);

} // namespace pgsluice
