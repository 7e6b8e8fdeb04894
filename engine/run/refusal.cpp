#include "run/refusal.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgsluice::run {

bool refuses_the_object(const Error& error) {
    if (error.kind() != ErrorKind::target || error.sqlstate().size() != 5) return false;
    // Connection, transaction rolled back, resources (a full disk), operator's intervention, system, damaged
    // data. A lock that is not to be had is nobody's definition either.
    constexpr std::array<std::string_view, 8> of_the_server = {"08", "40",    "53",    "57",
                                                               "58", "55P03", "XX001", "XX002"};
    return std::none_of(of_the_server.begin(), of_the_server.end(),
                        [&](std::string_view start) { return error.sqlstate().starts_with(start); });
}

} // namespace pgsluice::run
