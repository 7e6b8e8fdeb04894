// Partitions and children of inheritance: what a statement on a table goes down to.
#pragma once
#include <map>
#include <vector>

#include "model/database.hpp"

namespace pgsluice::merge {

// Of a planned database, which must stay as it is meanwhile: pointers are its objects.
class Heirs {
public:
    explicit Heirs(const model::Database& planned);

    const std::vector<const model::Object*>& children(const model::Object& table) const;
    std::vector<const model::Object*> below(const model::Object& table) const; // without itself

private:
    std::map<model::CatalogId, std::vector<const model::Object*>> children_;
};

} // namespace pgsluice::merge
