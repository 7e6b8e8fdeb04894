#include "base/error.hpp"
#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

model::Object& Reading::add(model::Object object) {
    const auto [at, is_new] = by_id_.emplace(object.id, database_.objects.size());
    if (!is_new) {
        throw Error{ErrorKind::source, "the catalogs name one object twice"}.object(
            model::display_name(object));
    }
    return database_.objects.emplace_back(std::move(object));
}

model::Object* Reading::find(model::CatalogId id) {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : &database_.objects[at->second];
}

} // namespace pgsluice::kinds
