#include "display_width.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace pgsluice::cli {

namespace {

struct Range {
    std::uint32_t first, last;
};

// A terminal's own table may be newer; being off by a column cuts a name early and breaks nothing.
constexpr Range no_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},   {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C},   {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2069},   {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};
constexpr Range two_columns[] = {
    {0x1100, 0x115F},   {0x2329, 0x232A},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

template <std::size_t n>
bool in(const Range (&ranges)[n], std::uint32_t character) {
    return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
        return character >= range.first && character <= range.last;
    });
}

struct Character {
    std::size_t bytes = 1, columns = 1;
};

// A byte that is no UTF-8 counts as one column: terminals show one sign for it.
Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    std::size_t bytes = 1;
    if (first >= 0xC2 && first <= 0xDF)
        bytes = 2;
    else if (first >= 0xE0 && first <= 0xEF)
        bytes = 3;
    else if (first >= 0xF0 && first <= 0xF4)
        bytes = 4;
    if (bytes > text.size()) return {};
    std::uint32_t character = bytes == 1 ? first : first & (0xFFu >> (bytes + 1));
    for (std::size_t at = 1; at < bytes; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return {};
        character = (character << 6) | (byte(at) & 0x3F);
    }
    if (in(no_width, character)) return {bytes, 0};
    return {bytes, in(two_columns, character) ? 2u : 1u};
}

} // namespace

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        columns += character.columns;
        text.remove_prefix(character.bytes);
    }
    return columns;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    const std::string_view mark = columns > 3 ? "..." : "";
    const std::size_t room = columns - mark.size();
    std::size_t end = 0, used = 0;
    while (end < text.size()) {
        const Character character = first_character(text.substr(end));
        if (used + character.columns > room) break;
        used += character.columns;
        end += character.bytes;
    }
    return std::string(text.substr(0, end)) + std::string(mark);
}

std::string fit_to_width(std::string_view text, std::size_t columns) {
    std::string fitted = cut_to_width(text, columns);
    fitted.append(columns - std::min(columns, display_width(fitted)), ' ');
    return fitted;
}

} // namespace pgsluice::cli
