// What every index has, whether a constraint owns it or not: its text, its place in a partition tree, and the
// settings that go with it and not with its table.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "kinds/relation.hpp"

namespace pgsluice::kinds {

struct IndexParts {
    std::string definition; // pg_get_indexdef: CREATE [UNIQUE] INDEX ...
    bool partitioned = false, valid = true;
    bool clustered = false, replica_identity = false;
    std::string parent_schema, parent_name; // the partitioned table's index
    std::vector<model::CatalogId> parent;   // what it is to us: an index, or the constraint that owns it
};

// Names of the query: i pg_index, x the index's pg_class, c its table, n their schema.
inline constexpr std::array<Column, 9> index_part_columns = {{
    {"index_definition", "pg_catalog.pg_get_indexdef(i.indexrelid)"},
    {"partitioned", "c.relkind = 'p'"},
    {"clustered", "i.indisclustered"},
    {"valid", "i.indisvalid"},
    {"replica_identity", "i.indisreplident"},
    {"parent_schema", "hn.nspname"},
    {"parent_name", "hx.relname"},
    {"parent_constraint",
     "array(select k2.oid from pg_catalog.pg_constraint k2 where k2.conindid = h.inhparent"
     " and k2.conrelid = hi.indrelid and k2.contype in ('p', 'u', 'x'))"},
    {"parent_index", "array(select h.inhparent where h.inhparent is not null)"},
}};

inline constexpr auto index_parts_join =
    sql(" left join pg_catalog.pg_inherits h on h.inhrelid = i.indexrelid"
        " left join pg_catalog.pg_index hi on hi.indexrelid = h.inhparent"
        " left join pg_catalog.pg_class hx on hx.oid = h.inhparent"
        " left join pg_catalog.pg_namespace hn on hn.oid = hx.relnamespace");

// An index whose build failed is left out, as stock does; one of a partitioned table may wait for its
// partitions.
inline constexpr auto index_is_usable = sql("(i.indisvalid or c.relkind = 'p') and i.indisready");

IndexParts read_index_parts(const Row& row);
// Of an index that only the target has: what its table is in the new database, whatever it is on the target.
bool is_of_partitioned(const model::Object& index, bool partitioned, const Context& context);
// The whole statement of its definition. On a partitioned table ONLY, as its partitions' parts are attached;
// not where the server has to make some of these.
std::string create_index(const model::Object& index, const IndexParts& parts, const Context& context);
bool makes_parts(const model::Object& index, const Context& context);
// CLUSTER ON and REPLICA IDENTITY, each after a line break.
std::string index_settings(const IndexParts& index, const std::string& table, std::string_view name);
// ALTER INDEX parent ATTACH PARTITION; empty for an index without a parent.
std::string attach_index(const IndexParts& index, const std::string& qualified_name);
void index_edges(model::CatalogId who, const IndexParts& index, std::vector<model::Dependency>& out);

// The columns of `mine`, then those of every index.
template <std::size_t N>
constexpr std::array<Column, N + index_part_columns.size()> with_index_parts(const Column (&mine)[N]) {
    std::array<Column, N + index_part_columns.size()> all{};
    std::copy_n(mine, N, all.begin());
    std::copy(index_part_columns.begin(), index_part_columns.end(), all.begin() + N);
    return all;
}

} // namespace pgsluice::kinds
