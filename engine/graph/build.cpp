// The one file that asks descriptors to write DDL: objects become nodes and items, assemble() does the rest.
#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "graph/nodes.hpp"
#include "pq/quote.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

// Members of an extension are no objects of ours, but the user's rows in its configuration tables are.
std::vector<const model::TableRows*> configuration_tables(const model::Database& database) {
    std::vector<const model::TableRows*> tables;
    for (const model::TableRows& table : database.rows)
        if (table.is_configuration && database.find(table.table) == nullptr) tables.push_back(&table);
    return tables;
}

// Which extension a table belongs to is not known here: its rows wait for all.
void add_configuration(const model::Database& database, std::vector<Node>& nodes,
                       std::vector<model::Dependency>& dependencies) {
    for (const model::TableRows* table : configuration_tables(database)) {
        nodes.push_back({.kind = Kind::table,
                         .id = table->table,
                         .relation = table->table,
                         .schema = table->schema,
                         .name = "table " + one_line(table->schema + "." + table->name)});
        for (const model::Object& object : database.objects)
            if (object.kind == Kind::extension)
                dependencies.push_back({.who = table->table, .needs = object.id, .type = 'n'});
    }
}

Network read_network(const model::Database& database) {
    std::vector<Node> nodes;
    std::vector<model::Dependency> dependencies = database.dependencies;
    nodes.reserve(database.objects.size());
    for (const model::Object& object : database.objects) {
        nodes.push_back({.kind = object.kind,
                         .id = object.id,
                         .relation = object.relation,
                         .schema = object.kind == Kind::schema ? object.name : object.schema,
                         .name = model::display_name(object)});
        const kinds::Descriptor& kind = kinds::descriptor(object.kind);
        if (kind.edges != nullptr) kind.edges(object, database, dependencies);
    }
    add_configuration(database, nodes, dependencies);
    return make_network(std::move(nodes), dependencies);
}

void append(std::string& text, const std::string& statement) {
    if (statement.empty()) return;
    if (!text.empty()) text += "\n";
    text += statement;
}

// A new object's ACL is its base; a new column has none.
std::string grants(const model::Object& object) {
    std::string text;
    model::Acl made = object.acl;
    made.current = made.base;
    for (const std::string& statement : kinds::acl_ddl(object, made, object.acl)) append(text, statement);
    for (const auto& [column, acl] : object.column_acls)
        for (const std::string& statement : kinds::acl_ddl(object, {}, acl, column)) append(text, statement);
    return text;
}

bool owner_is_restricted(const model::Object& object) {
    const auto privileges = [&](const std::vector<model::Grant>& grants) {
        std::string letters;
        for (const model::Grant& grant : grants)
            if (grant.grantee == object.owner) letters += grant.privileges;
        return letters;
    };
    const std::string now = privileges(object.acl.current);
    const std::string before = privileges(object.acl.base);
    return std::any_of(before.begin(), before.end(),
                       [&](char letter) { return now.find(letter) == std::string::npos; });
}

// Sequence numbers are the source's answer: digits or it does not go into a statement.
std::string setval(const model::Object& sequence, const model::SequenceValue& value) {
    const std::string& number = value.last_value;
    const std::size_t digits = number.starts_with('-') ? 1 : 0;
    if (number.size() == digits || number.find_first_not_of("0123456789", digits) != std::string::npos)
        throw Error{ErrorKind::source, "the source sent a sequence value that is no number"}.object(
            model::display_name(sequence));
    return "SELECT pg_catalog.setval(" +
           pq::quote_literal(pq::quote_qualified(sequence.schema, sequence.name)) + ", " + number + ", " +
           (value.is_called ? "true" : "false") + ");";
}

class Writer {
public:
    Writer(const model::Database& database, const kinds::Shape& shape, const Options& options)
        : database_(database), options_(options), context_{.database = database,
                                                           .shape = shape,
                                                           .target_version = options.target_version} {
        for (const model::SequenceValue& value : database.sequence_values)
            values_.emplace(value.sequence, &value);
    }

    Item write(const model::Object& object) const {
        const kinds::Descriptor& kind = kinds::descriptor(object.kind);
        Item item;
        item.ddl = kind.write(object, context_);
        if (kind.has_comment) item.comment = kinds::comment_ddl(object);
        append(item.comment, kinds::extension_ddl(object));
        // Schema public of a new database belongs to the role of this name, which nobody could set.
        const bool has_its_owner = object.kind == Kind::schema && object.name == "public" &&
                                   object.owner == "pg_database_owner" && options_.target_version >= 150000;
        if (kind.has_owner && object.owner != options_.connecting_role && !has_its_owner)
            item.rights = kinds::owner_ddl(object, object.owner);
        item.changes_owner = !item.rights.empty();
        if (kind.has_acl) append(item.rights, grants(object));
        item.owner_is_restricted = owner_is_restricted(object);
        const auto value = values_.find(object.id);
        if (value != values_.end()) item.sequence_value = setval(object, *value->second);
        if (const model::TableRows* rows = database_.rows_of(object.id); rows != nullptr) {
            item.rows = true;
            item.load_through_root = rows->partition_root_load;
        }
        if (item.rows || !item.ddl.refresh.empty())
            item.analyze = "ANALYZE " + pq::quote_qualified(object.schema, object.name) + ";";
        return item;
    }

private:
    const model::Database& database_;
    const Options& options_;
    kinds::Context context_;
    std::map<model::CatalogId, const model::SequenceValue*> values_;
};

} // namespace

Graph build(const model::Database& database, const Options& options) {
    const Network network = read_network(database);
    const Repairs repairs = find_repairs(network);
    const Writer writer(database, repairs.shape, options);
    std::vector<Item> items;
    items.reserve(database.objects.size());
    for (const model::Object& object : database.objects) items.push_back(writer.write(object));
    for (std::size_t i = items.size(); i < network.nodes.size(); ++i) items.emplace_back().rows = true;
    return assemble(network, repairs, items);
}

} // namespace pgsluice::graph
