// Sizes and lengths of time, as people write and read them.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

// "64MiB", "64MB", "1g", "65536" (bytes): powers of 1024 whatever the spelling. Nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "5s", "500ms", "2min", "1h"; a bare number is seconds. Nothing for anything else.
std::optional<std::chrono::milliseconds> parse_length(std::string_view text);

std::string format_size(std::uint64_t bytes);                     // "1.4 GiB"
std::string format_length(std::chrono::steady_clock::duration d); // "0.43 s", "2 min 5 s"
std::string format_count(std::uint64_t n);                        // "1,234,567"

} // namespace pgsluice
