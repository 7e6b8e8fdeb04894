#include "plan/measure.hpp"

namespace pgsluice::plan {

namespace {

using graph::Part;
using model::CatalogId;
using model::Kind;

class Locks {
public:
    explicit Locks(const Catalog& catalog) : catalog_(catalog) {}

    void add(CatalogId table, LockMode mode) {
        if (table.oid != 0) taken_.push_back({table, mode});
    }
    // Triggers and foreign keys go down to the partitions.
    void add_tree(CatalogId table, LockMode mode) {
        if (table.oid == 0) return;
        for (const CatalogId part : catalog_.with_partitions(table)) add(part, mode);
    }
    void add_read(CatalogId object) {
        for (const model::Dependency& dependency : catalog_.needs_of(object))
            if (catalog_.is(dependency.needs, Kind::table)) add(dependency.needs, LockMode::access_share);
    }
    std::vector<TableLock> take() { return std::move(taken_); }

private:
    const Catalog& catalog_;
    std::vector<TableLock> taken_;
};

void lock_create(const graph::Entry& entry, const Catalog& catalog, Locks& locks) {
    const CatalogId relation = catalog.relation_of(entry.object);
    switch (entry.kind) {
    case Kind::index: locks.add(relation, LockMode::share); break;
    case Kind::statistics: locks.add(relation, LockMode::share_update_exclusive); break;
    case Kind::trigger:
        locks.add_tree(relation, LockMode::share_row_exclusive);
        locks.add_read(entry.object); // FROM another table
        break;
    case Kind::foreign_key:
        locks.add_tree(relation, LockMode::share_row_exclusive);
        locks.add_tree(catalog.referenced_table(entry.object), LockMode::share_row_exclusive);
        break;
    case Kind::table:
        locks.add(relation, LockMode::access_exclusive);
        for (const model::Dependency& dependency : catalog.needs_of(entry.object)) // inheritance
            if (dependency.type == 'n' && catalog.is(dependency.needs, Kind::table))
                locks.add(dependency.needs, LockMode::share_update_exclusive);
        break;
    case Kind::sequence: // an identity's is an ALTER TABLE
        for (const model::Dependency& dependency : catalog.needs_of(entry.object))
            if (dependency.type == 'i') locks.add(dependency.needs, LockMode::access_exclusive);
        break;
    case Kind::constraint:
    case Kind::check:
    case Kind::column_default:
    case Kind::rule:
    case Kind::policy: locks.add(relation, LockMode::access_exclusive); [[fallthrough]];
    default: locks.add_read(entry.object); break;
    }
}

void lock_attach(const graph::Entry& entry, const Catalog& catalog, Locks& locks) {
    const bool is_table = entry.kind == Kind::table;
    locks.add(catalog.relation_of(entry.object),
              is_table ? LockMode::access_exclusive : LockMode::access_share);
    for (const model::Dependency& dependency : catalog.needs_of(entry.object))
        if (catalog.is(dependency.needs, entry.kind))
            locks.add(catalog.relation_of(dependency.needs), LockMode::share_update_exclusive);
}

} // namespace

std::vector<TableLock> locks_of(const graph::Entry& entry, const Catalog& catalog) {
    Locks locks(catalog);
    const CatalogId relation = catalog.relation_of(entry.object);
    switch (entry.part) {
    case Part::create: lock_create(entry, catalog, locks); break;
    case Part::add_elements: locks.add_tree(relation, LockMode::access_exclusive); break;
    case Part::attach: lock_attach(entry, catalog, locks); break;
    case Part::rows: {
        const model::TableRows* rows = catalog.database().rows_of(entry.object);
        if (rows != nullptr && rows->partition_root_load)
            locks.add_tree(catalog.root_of(entry.object), LockMode::row_exclusive);
        else
            locks.add(entry.object, LockMode::row_exclusive);
        break;
    }
    case Part::build_index: locks.add(relation, LockMode::share); break;
    case Part::after_rows: locks.add(relation, LockMode::access_exclusive); break;
    case Part::validate:
        locks.add(relation, LockMode::share_update_exclusive);
        if (entry.kind == Kind::foreign_key)
            locks.add_tree(catalog.referenced_table(entry.object), LockMode::row_share);
        break;
    case Part::analyze: locks.add(entry.object, LockMode::share_update_exclusive); break;
    case Part::rights: locks.add(relation, LockMode::access_exclusive); break;
    case Part::refresh:
        locks.add(entry.object, LockMode::access_exclusive);
        for (const CatalogId table : catalog.tables_read(entry.object))
            locks.add(table, LockMode::access_share);
        break;
    case Part::dummy:
    case Part::owned_by:
    case Part::sequence_value:
    case Part::merge: // nothing that could be in its way starts before it, or is left to run beside it
    case Part::gate: break;
    }
    return locks.take();
}

} // namespace pgsluice::plan
