#include "merge/column_types.hpp"

#include <map>
#include <vector>

namespace pgsluice::merge {

namespace {

using model::CatalogId;
using model::Kind;
using model::Object;

bool is_type(Kind kind) {
    return kind == Kind::table || kind == Kind::composite_type || kind == Kind::domain ||
           kind == Kind::range_type;
}

} // namespace

ColumnTypes::ColumnTypes(const model::Database& database) {
    std::vector<CatalogId> queue;
    const auto use = [&](CatalogId type) {
        const Object* found = database.find(type);
        if (found != nullptr && is_type(found->kind) && used_.insert(type).second) queue.push_back(type);
    };
    std::map<CatalogId, std::vector<CatalogId>> made_of;
    for (const model::ElementNeed& need : database.element_needs) {
        const Object* who = database.find(need.who);
        if (who == nullptr || !need.column.empty() || need.who == need.needs) continue;
        made_of[need.who].push_back(need.needs);
        if (who->kind == Kind::table || who->kind == Kind::materialized_view) use(need.needs);
    }
    for (const model::Dependency& need : database.dependencies) {
        const Object* who = database.find(need.who);
        if (who == nullptr) continue;
        if (who->kind == Kind::domain || who->kind == Kind::range_type)
            made_of[need.who].push_back(need.needs);
        if (who->details.contains("typed")) use(need.needs);
    }
    for (std::size_t at = 0; at < queue.size(); ++at)
        for (const CatalogId type : made_of[queue[at]]) use(type);
}

} // namespace pgsluice::merge
