#include "model/object.hpp"

#include <array>

#include "base/text.hpp"

namespace pgsluice::model {

std::string_view kind_name(Kind kind) {
    static constexpr std::array<std::string_view, kind_count> names = {
        "schema",         "extension",   "collation", "enum type",         "domain",
        "composite type", "range type",  "function",  "procedure",         "aggregate",
        "sequence",       "table",       "view",      "materialized view", "column default",
        "check",          "constraint",  "index",     "statistics",        "rule",
        "trigger",        "foreign key", "policy",    "default ACL"};
    if (kind == Kind::count_) return "object of another kind"; // named, but not carried (Unsupported)
    return names[static_cast<std::size_t>(kind)];
}

bool is_namespace_or_type(Kind kind) {
    switch (kind) {
    case Kind::schema:
    case Kind::extension:
    case Kind::collation:
    case Kind::enum_type:
    case Kind::domain:
    case Kind::composite_type:
    case Kind::range_type: return true;
    default: return false;
    }
}

NaturalKey natural_key(const Object& object) {
    return {object.kind, object.schema, object.table, object.name, object.arguments};
}

std::string display_name(const Object& object) {
    std::string text{kind_name(object.kind)};
    text += ' ';
    if (!object.table.empty()) {
        text += object.name + " on " + object.schema + "." + object.table;
    } else {
        if (!object.schema.empty()) text += object.schema + ".";
        text += object.name;
    }
    if (object.kind == Kind::function || object.kind == Kind::procedure || object.kind == Kind::aggregate)
        text += "(" + object.arguments + ")";
    return one_line(text);
}

} // namespace pgsluice::model
