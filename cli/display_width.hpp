// How many columns a text takes on a terminal.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace pgsluice::cli {

std::size_t display_width(std::string_view text);

// At most `columns` wide, with "..." where something was cut; never half a character, never the start of an
// escape.
std::string cut_to_width(std::string_view text, std::size_t columns);

// Exactly `columns` wide.
std::string fit_to_width(std::string_view text, std::size_t columns);

} // namespace pgsluice::cli
