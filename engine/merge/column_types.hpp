// Types of which rows hold values: another attribute or column would make those of another database
// unreadable. A plain value.
#pragma once
#include <set>

#include "model/database.hpp"

namespace pgsluice::merge {

class ColumnTypes {
public:
    explicit ColumnTypes(const model::Database& database);
    bool contains(model::CatalogId type) const { return used_.contains(type); }

private:
    std::set<model::CatalogId> used_; // through domains, ranges and composite types, too
};

} // namespace pgsluice::merge
