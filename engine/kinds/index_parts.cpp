#include "kinds/index_parts.hpp"

#include "pq/quote.hpp"

namespace pgsluice::kinds {

IndexParts read_index_parts(const Row& row) {
    IndexParts index;
    index.definition = row.text("index_definition");
    index.partitioned = row.boolean("partitioned");
    index.clustered = row.boolean("clustered");
    index.replica_identity = row.boolean("replica_identity");
    index.parent_schema = row.text("parent_schema");
    index.parent_name = row.text("parent_name");
    index.parent = read_ids(row, "parent_constraint", pg_constraint_class);
    if (index.parent.empty()) index.parent = read_ids(row, "parent_index", pg_class_class);
    return index;
}

std::string index_settings(const IndexParts& index, const std::string& table, std::string_view name) {
    std::string ddl;
    if (index.clustered) ddl += "\nALTER TABLE " + table + " CLUSTER ON " + pq::quote_identifier(name) + ";";
    if (index.replica_identity)
        ddl += "\nALTER TABLE ONLY " + table + " REPLICA IDENTITY USING INDEX " + pq::quote_identifier(name) +
               ";";
    return ddl;
}

std::string attach_index(const IndexParts& index, const std::string& qualified_name) {
    if (index.parent_name.empty()) return {};
    return "ALTER INDEX " + pq::quote_qualified(index.parent_schema, index.parent_name) +
           " ATTACH PARTITION " + qualified_name + ";";
}

void index_edges(model::CatalogId who, const IndexParts& index, std::vector<model::Dependency>& out) {
    add_edges(who, index.parent, out);
}

} // namespace pgsluice::kinds
