#include "plan/catalog.hpp"

#include <set>

namespace pgsluice::plan {

using model::CatalogId;
using model::Kind;

Catalog::Catalog(const model::Database& database) : database_(database) {
    for (const model::Dependency& dependency : database.dependencies) {
        if (dependency.who == dependency.needs) continue;
        needs_[dependency.who].push_back(dependency);
        if (dependency.type != 'a' || !is(dependency.who, Kind::table) || !is(dependency.needs, Kind::table))
            continue;
        if (parents_.emplace(dependency.who, dependency.needs).second)
            partitions_[dependency.needs].push_back(dependency.who);
    }
}

const std::vector<model::Dependency>& Catalog::needs_of(CatalogId object) const {
    static const std::vector<model::Dependency> none;
    const auto at = needs_.find(object);
    return at == needs_.end() ? none : at->second;
}

bool Catalog::is(CatalogId object, Kind kind) const {
    const model::Object* found = database_.find(object);
    return found != nullptr && found->kind == kind;
}

CatalogId Catalog::relation_of(CatalogId object) const {
    const model::Object* found = database_.find(object);
    if (found == nullptr) return object;
    if (found->relation.oid != 0) return found->relation;
    switch (found->kind) {
    case Kind::sequence:
    case Kind::table:
    case Kind::view:
    case Kind::materialized_view: return object;
    default: return {};
    }
}

std::vector<CatalogId> Catalog::with_partitions(CatalogId table) const {
    std::vector<CatalogId> found = {table};
    std::set<CatalogId> seen = {table};
    for (std::size_t at = 0; at < found.size(); ++at) {
        const auto below = partitions_.find(found[at]);
        if (below == partitions_.end()) continue;
        for (const CatalogId partition : below->second)
            if (seen.insert(partition).second) found.push_back(partition);
    }
    return found;
}

CatalogId Catalog::root_of(CatalogId table) const {
    std::set<CatalogId> seen;
    for (auto at = parents_.find(table); at != parents_.end() && seen.insert(table).second;
         at = parents_.find(table))
        table = at->second;
    return table;
}

CatalogId Catalog::referenced_table(CatalogId foreign_key) const {
    const CatalogId own = relation_of(foreign_key);
    for (const model::Dependency& dependency : needs_of(foreign_key))
        if (dependency.needs != own && is(dependency.needs, Kind::table)) return dependency.needs;
    return own;
}

std::vector<CatalogId> Catalog::tables_read(CatalogId view) const {
    std::vector<CatalogId> found, queue = {view};
    std::set<CatalogId> seen = {view};
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const model::Dependency& dependency : needs_of(queue[at])) {
            const model::Object* object = database_.find(dependency.needs);
            if (object == nullptr || !seen.insert(dependency.needs).second) continue;
            if (object->kind == Kind::table || object->kind == Kind::materialized_view)
                found.push_back(dependency.needs);
            else if (object->kind == Kind::view || object->kind == Kind::function)
                queue.push_back(dependency.needs);
        }
    }
    return found;
}

std::uint64_t Catalog::bytes_of(CatalogId table) const {
    std::uint64_t bytes = 0;
    for (const CatalogId part : with_partitions(table))
        if (const model::TableRows* rows = database_.rows_of(part); rows != nullptr) bytes += rows->bytes;
    return bytes;
}

} // namespace pgsluice::plan
