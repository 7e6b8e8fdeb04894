#include <charconv>

#include "base/error.hpp"
#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

namespace {

constexpr model::Oid target_offset = model::Oid{1} << 32;
constexpr model::Oid first_user_oid = 16384; // FirstNormalObjectId
// The only object of ours that initdb makes. No catalog has this number, nor a type.
constexpr model::Oid public_schema_oid = 2200;

Error unreadable(std::string_view column, std::string_view expected) {
    return Error{ErrorKind::source, "the server sent no " + std::string(expected) + " in catalog column \"" +
                                        std::string(column) + "\""};
}

template <class Number>
Number parsed(std::string_view column, std::string_view text) {
    Number number{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size()) throw unreadable(column, "number");
    return number;
}

} // namespace

std::string Row::text(std::string_view column) const { return std::string(get(column).value_or("")); }

std::optional<std::string> Row::optional_text(std::string_view column) const {
    const std::optional<std::string_view> value = get(column);
    if (!value) return std::nullopt;
    return std::string(*value);
}

bool Row::boolean(std::string_view column) const {
    const std::string_view value = get(column).value_or("f");
    if (value == "t") return true;
    if (value != "f") throw unreadable(column, "boolean");
    return false;
}

char Row::letter(std::string_view column) const {
    const std::string_view value = get(column).value_or("");
    if (value.size() > 1) throw unreadable(column, "single letter");
    return value.empty() ? '\0' : value.front();
}

std::int64_t Row::number(std::string_view column) const {
    const std::optional<std::string_view> value = get(column);
    return value ? parsed<std::int64_t>(column, *value) : 0;
}

double Row::real(std::string_view column) const {
    const std::optional<std::string_view> value = get(column);
    return value ? parsed<double>(column, *value) : 0;
}

model::Oid Row::oid(std::string_view column) const {
    const std::optional<std::string_view> value = get(column);
    return value ? parse_oid(column, *value) : 0;
}

std::vector<model::Oid> Row::oids(std::string_view column) const {
    std::vector<model::Oid> oids;
    for (const std::string& text : texts(column)) oids.push_back(parse_oid(column, text));
    return oids;
}

model::Oid Row::parse_oid(std::string_view column, std::string_view text) const {
    const auto oid = parsed<std::uint32_t>(column, text);
    const bool moves = is_target() && (oid >= first_user_oid || oid == public_schema_oid);
    return moves ? oid + target_offset : oid;
}

model::Oid server_oid(model::Oid oid) { return oid >= target_offset ? oid - target_offset : oid; }

std::vector<std::string> Row::texts(std::string_view column) const {
    const std::optional<std::string_view> value = get(column);
    return value ? parse_array(*value) : std::vector<std::string>{};
}

} // namespace pgsluice::kinds
