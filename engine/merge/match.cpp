#include <algorithm>

#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/canonical.hpp"
#include "merge/parts.hpp"

namespace pgsluice::merge {

namespace {

using model::Kind;
using model::Object;

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// What of `one` the other lacks.
void add_missing(const Object& one, const Object& other, std::vector<Match::Element>& out) {
    for (const std::string& name : one.elements)
        if (!has(other.elements, name)) out.push_back({one.kind, one.schema, one.name, name});
}

} // namespace

bool takes_part(const Object& object) {
    return object.schema != "pgsluice" && !(object.kind == Kind::schema && object.name == "pgsluice");
}

bool has_elements(const Object& object) {
    return object.kind == Kind::table || object.kind == Kind::composite_type ||
           object.kind == Kind::enum_type;
}

Definer definer(int server_version) {
    return [server_version](const Object& object, const model::Database& database) {
        return kinds::definition(object, database, server_version);
    };
}

std::vector<const Object*> wholes(const Object& part, const model::Database& database) {
    std::vector<const Object*> found;
    const bool can_be =
        part.kind == Kind::index || part.kind == Kind::constraint || part.kind == Kind::foreign_key;
    if (!can_be || !part.body) return found;
    std::vector<model::Dependency> edges;
    kinds::descriptor(part.kind).edges(part, database, edges);
    for (const model::Dependency& edge : edges)
        if (const Object* whole = database.find(edge.needs); whole != nullptr) found.push_back(whole);
    return found;
}

std::string without_attach(const std::string& definition) {
    constexpr std::string_view attach = "\nALTER INDEX ";
    const std::size_t at = definition.find(attach);
    if (at == std::string::npos || definition.find(" ATTACH PARTITION ", at) == std::string::npos)
        return definition;
    const std::size_t end = definition.find('\n', at + 1);
    return definition.substr(0, at) + (end == std::string::npos ? "" : definition.substr(end));
}

Match match(const model::Database& source, const model::Database& target, const Definer& definition) {
    Match match;
    for (const Object& object : source.objects) {
        if (!takes_part(object)) continue;
        const model::NaturalKey key = model::natural_key(object);
        const Object* other = target.find(key);
        if (other == nullptr) {
            match.only_source.push_back(key);
            continue;
        }
        match.shared.push_back(key);
        if (has_elements(object)) {
            add_missing(object, *other, match.elements_only_source);
            add_missing(*other, object, match.elements_only_target);
        }
        std::string ours = definition(object, source);
        std::string theirs = definition(*other, target);
        if (!same_definition(ours, theirs))
            match.drift.push_back({key, model::display_name(object), std::move(ours), std::move(theirs)});
    }
    for (const Object& object : target.objects) {
        // Every new database has schema public, whatever the source did with its own.
        if (!takes_part(object) || (object.kind == Kind::schema && object.name == "public")) continue;
        if (source.find(model::natural_key(object)) == nullptr)
            match.only_target.push_back(model::natural_key(object));
    }
    return match;
}

Match match(const model::Database& source, const model::Database& target) {
    return match(source, target, definer(target.server_version));
}

} // namespace pgsluice::merge
