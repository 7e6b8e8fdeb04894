#include "merge/heirs.hpp"

#include <set>

#include "kinds/descriptor.hpp"

namespace pgsluice::merge {

using model::CatalogId;
using model::Object;

Heirs::Heirs(const model::Database& planned) {
    std::set<std::pair<CatalogId, CatalogId>> known;
    for (const model::Dependency& need : planned.dependencies) {
        const Object* child = planned.find(planned.resolve(need.who));
        const Object* parent = planned.find(planned.resolve(need.needs));
        if (child == nullptr || parent == nullptr || !kinds::inherits_from(*child, *parent)) continue;
        if (known.emplace(parent->id, child->id).second) children_[parent->id].push_back(child);
    }
}

const std::vector<const Object*>& Heirs::children(const Object& table) const {
    static const std::vector<const Object*> none;
    const auto at = children_.find(table.id);
    return at == children_.end() ? none : at->second;
}

std::vector<const Object*> Heirs::below(const Object& table) const {
    std::vector<const Object*> found = children(table);
    std::set<const Object*> seen(found.begin(), found.end());
    for (std::size_t at = 0; at < found.size(); ++at)
        for (const Object* child : children(*found[at]))
            if (seen.insert(child).second) found.push_back(child);
    return found;
}

} // namespace pgsluice::merge
