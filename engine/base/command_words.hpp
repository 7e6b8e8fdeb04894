// A command given as one text, as words: spaces separate, '...' and "..." hold them together, a backslash
// takes the next character as it is (inside '...' it stands for itself). No variables, patterns, pipes: that
// is a shell's business.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice {

// Throws Error{usage} for a quote that is not closed.
std::vector<std::string> command_words(std::string_view text);

} // namespace pgsluice
