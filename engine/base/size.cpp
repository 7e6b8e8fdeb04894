#include "base/size.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace pgsluice {

namespace {

// Splits "12kB" into 12 and "kb"; nothing when there are no digits or the number does not fit.
std::optional<std::pair<std::uint64_t, std::string>> number_and_unit(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{}) return std::nullopt;
    std::string unit;
    for (const char c : std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)))
        if (c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return std::pair{number, unit};
}

} // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto parts = number_and_unit(text);
    if (!parts) return std::nullopt;
    const auto& [number, unit] = *parts;
    int shift = 0;
    if (unit.empty() || unit == "b")
        shift = 0;
    else if (unit == "k" || unit == "kb" || unit == "kib")
        shift = 10;
    else if (unit == "m" || unit == "mb" || unit == "mib")
        shift = 20;
    else if (unit == "g" || unit == "gb" || unit == "gib")
        shift = 30;
    else if (unit == "t" || unit == "tb" || unit == "tib")
        shift = 40;
    else
        return std::nullopt;
    if (number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
    return number << shift;
}

std::optional<std::chrono::milliseconds> parse_length(std::string_view text) {
    const auto parts = number_and_unit(text);
    if (!parts || parts->first > 1'000'000'000) return std::nullopt;
    const auto number = static_cast<std::int64_t>(parts->first);
    const std::string& unit = parts->second;
    if (unit == "ms") return std::chrono::milliseconds(number);
    if (unit.empty() || unit == "s") return std::chrono::seconds(number);
    if (unit == "m" || unit == "min") return std::chrono::minutes(number);
    if (unit == "h") return std::chrono::hours(number);
    return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    if (unit == 0) return fmt::format("{} B", bytes);
    return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, units[unit]);
}

std::string format_length(std::chrono::steady_clock::duration d) {
    const double seconds = std::chrono::duration<double>(d).count();
    if (seconds < 10) return fmt::format("{:.2f} s", seconds);
    if (seconds < 60) return fmt::format("{:.1f} s", seconds);
    const std::int64_t whole = std::llround(seconds);
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string format_count(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

} // namespace pgsluice
