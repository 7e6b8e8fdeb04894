#include "base/run_id.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace pgsluice {

namespace {

constexpr std::string_view base32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t run_id_length = 8;

std::string derived_name(std::string_view target, const std::string& suffix) {
    if (target.size() + suffix.size() <= limits::identifier_bytes_max) return std::string(target) + suffix;
    const std::string hash = fmt::format("_{:08x}", static_cast<std::uint32_t>(stable_hash(target)));
    const std::size_t room = limits::identifier_bytes_max - suffix.size() - hash.size();
    return std::string(cut_utf8(target, room)) + hash + suffix;
}

} // namespace

std::string new_run_id() {
    std::random_device device;
    std::string id;
    for (std::size_t i = 0; i < run_id_length; ++i) id += base32[device() % base32.size()];
    return id;
}

bool is_run_id(std::string_view text) {
    return text.size() == run_id_length && std::all_of(text.begin(), text.end(), [](char c) {
               return base32.find(c) != std::string_view::npos;
           });
}

std::string beside_database_name(std::string_view target, std::string_view run_id) {
    return derived_name(target, fmt::format("_pgsluice_{}", run_id));
}

std::string previous_database_name(std::string_view target) { return derived_name(target, "_previous"); }

} // namespace pgsluice
