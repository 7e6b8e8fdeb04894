// What locks and costs must know of the database: who needs whom, partitions, what a materialized view reads.
#pragma once
#include <map>
#include <vector>

#include "model/database.hpp"

namespace pgsluice::plan {

class Catalog {
public:
    explicit Catalog(const model::Database& database);

    const model::Database& database() const { return database_; }
    const std::vector<model::Dependency>& needs_of(model::CatalogId object) const;
    // The relation that DDL on the object locks; itself for a table, view or sequence.
    model::CatalogId relation_of(model::CatalogId object) const;
    bool is(model::CatalogId object, model::Kind kind) const;
    // The table and all partitions below it.
    std::vector<model::CatalogId> with_partitions(model::CatalogId table) const;
    model::CatalogId root_of(model::CatalogId table) const;
    // The other table of a foreign key; its own if it references itself.
    model::CatalogId referenced_table(model::CatalogId foreign_key) const;
    // Tables and materialized views below a view, through views and functions.
    std::vector<model::CatalogId> tables_read(model::CatalogId view) const;
    // Of a table, its partitions included.
    std::uint64_t bytes_of(model::CatalogId table) const;

private:
    const model::Database& database_;
    std::map<model::CatalogId, std::vector<model::Dependency>> needs_;
    std::map<model::CatalogId, std::vector<model::CatalogId>> partitions_;
    std::map<model::CatalogId, model::CatalogId> parents_;
};

} // namespace pgsluice::plan
