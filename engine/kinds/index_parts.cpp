#include "kinds/index_parts.hpp"

#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

IndexParts read_index_parts(const Row& row) {
    IndexParts index;
    index.definition = row.text("index_definition");
    index.partitioned = row.boolean("partitioned");
    index.valid = row.boolean("valid");
    index.clustered = row.boolean("clustered");
    index.replica_identity = row.boolean("replica_identity");
    index.parent_schema = row.text("parent_schema");
    index.parent_name = row.text("parent_name");
    index.parent = read_ids(row, "parent_constraint", pg_constraint_class);
    if (index.parent.empty()) index.parent = read_ids(row, "parent_index", pg_class_class);
    return index;
}

namespace {

// Behind the name of CREATE [UNIQUE] INDEX name ON ..., which may hold anything when it is quoted.
std::size_t name_end(const std::string& definition) {
    constexpr std::string_view index = "INDEX ";
    std::size_t at = definition.find(index);
    at = at == std::string::npos ? definition.size() : at + index.size();
    bool quoted = false;
    for (; at < definition.size() && (quoted || definition[at] != ' '); ++at)
        if (definition[at] == '"') quoted = !quoted; // a doubled one changes nothing
    return at;
}

} // namespace

bool is_of_partitioned(const model::Object& index, bool partitioned, const Context& context) {
    const model::Object* table = index.extra ? context.database.find(index.relation) : nullptr;
    return table == nullptr ? partitioned : table->details.contains("partitioned");
}

bool makes_parts(const model::Object& index, const Context& context) {
    return index.details.contains("whole_tree") && !context.compared;
}

std::string create_index(const model::Object& index, const IndexParts& parts, const Context& context) {
    const std::string& text = parts.definition;
    constexpr std::string_view on = " ON ", on_only = " ON ONLY ";
    const std::size_t at = text.find(on, name_end(text));
    if (!index.extra || at == std::string::npos) return text + ";";
    const std::size_t length = text.compare(at, on_only.size(), on_only) == 0 ? on_only.size() : on.size();
    const bool only = is_of_partitioned(index, parts.partitioned, context) && !makes_parts(index, context);
    return text.substr(0, at) + std::string(only ? on_only : on) + text.substr(at + length) + ";";
}

std::string index_settings(const IndexParts& index, const std::string& table, std::string_view name) {
    std::vector<std::string> ddl;
    if (index.clustered)
        ddl.push_back("ALTER TABLE " + table + " CLUSTER ON " + pq::quote_identifier(name) + ";");
    if (index.replica_identity)
        ddl.push_back("ALTER TABLE ONLY " + table + " REPLICA IDENTITY USING INDEX " +
                      pq::quote_identifier(name) + ";");
    return join(ddl, "\n");
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
