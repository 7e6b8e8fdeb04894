#include "run/siblings.hpp"

namespace pgsluice::run {

Siblings::Siblings(const model::Database& planned) {
    for (const model::TableRows& table : planned.rows) {
        if (!table.partition_root_load) continue;
        Group& group = groups_[key(table)];
        group.all.tables.push_back(&table);
        ++group.left;
    }
}

Siblings::Key Siblings::key(const model::TableRows& table) {
    return {table.from_target, table.root_schema, table.root_name};
}

std::optional<Siblings::Together> Siblings::copied(const model::TableRows& table, std::uint64_t rows) {
    const std::lock_guard lock(mutex_);
    Group& group = groups_.at(key(table));
    group.all.rows += rows;
    if (--group.left > 0) return std::nullopt;
    return group.all;
}

} // namespace pgsluice::run
