#include "model/database.hpp"

#include <algorithm>

namespace pgsluice::model {

void Database::index() {
    std::sort(objects.begin(), objects.end(),
              [](const Object& a, const Object& b) { return natural_key(a) < natural_key(b); });
    by_id_.clear();
    by_key_.clear();
    rows_by_id_.clear();
    for (std::size_t i = 0; i < objects.size(); ++i) {
        by_id_.emplace(objects[i].id, i);
        by_key_.emplace(natural_key(objects[i]), i);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) rows_by_id_.emplace(rows[i].table, i);
}

CatalogId Database::resolve(CatalogId id) const {
    const auto at = aliases.find(id);
    return at == aliases.end() ? id : at->second;
}

const Object* Database::find(CatalogId id) const {
    const auto at = by_id_.find(resolve(id));
    return at == by_id_.end() ? nullptr : &objects[at->second];
}

const Object* Database::find(const NaturalKey& key) const {
    const auto at = by_key_.find(key);
    return at == by_key_.end() ? nullptr : &objects[at->second];
}

const TableRows* Database::rows_of(CatalogId table) const {
    const auto at = rows_by_id_.find(resolve(table));
    return at == rows_by_id_.end() ? nullptr : &rows[at->second];
}

} // namespace pgsluice::model
