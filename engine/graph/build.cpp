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
        Node& node = nodes.emplace_back();
        node.kind = Kind::table;
        node.id = node.relation = table->table;
        node.schema = table->schema;
        node.name = "table " + one_line(table->schema + "." + table->name);
        node.extra = table->from_target;
        for (const model::Object& object : database.objects)
            if (object.kind == Kind::extension)
                dependencies.push_back({.who = table->table, .needs = object.id, .type = 'n'});
    }
}

// The table, view or domain that a default or a check belongs to.
const model::Object* host_of(const model::Object& object, const model::Database& database) {
    if (object.relation.oid != 0) return database.find(object.relation);
    return database.find({Kind::domain, object.schema, "", object.table, ""});
}

bool is_added(const model::Object& host, const std::string& column) {
    return std::find(host.extra_elements.begin(), host.extra_elements.end(), column) !=
           host.extra_elements.end();
}

void mark_extra(const model::Object& object, const model::Database& database, Node& node) {
    node.extra = object.extra;
    node.adds_elements = !object.extra_elements.empty();
    node.tells_rows = object.kind == Kind::check && !object.extra && !object.details.contains("not_valid");
    if (!object.extra || (object.kind != Kind::column_default && object.kind != Kind::check)) return;
    const model::Object* host = host_of(object, database);
    if (host == nullptr || host->extra) return;
    node.of_added = object.kind == Kind::column_default && is_added(*host, object.name) &&
                    host->details.contains("adds_columns");
    node.separate = !node.of_added;
}

Network read_network(const model::Database& database, const Options& options) {
    std::vector<Node> nodes;
    std::vector<model::Dependency> dependencies = database.dependencies;
    nodes.reserve(database.objects.size());
    for (const model::Object& object : database.objects) {
        Node& node = nodes.emplace_back();
        node.kind = object.kind;
        node.id = object.id;
        node.relation = database.resolve(object.relation);
        node.schema = object.kind == Kind::schema ? object.name : object.schema;
        node.name = model::display_name(object);
        node.merged = options.merged_tables.contains(object.id);
        mark_extra(object, database, node);
        const kinds::Descriptor& kind = kinds::descriptor(object.kind);
        if (kind.edges != nullptr) kind.edges(object, database, dependencies);
    }
    add_configuration(database, nodes, dependencies);
    for (model::Dependency& dependency : dependencies) {
        dependency.who = database.resolve(dependency.who);
        dependency.needs = database.resolve(dependency.needs);
    }
    return make_network(std::move(nodes), dependencies);
}

void append(std::string& text, const std::string& statement) {
    if (statement.empty()) return;
    if (!text.empty()) text += "\n";
    text += statement;
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
    const std::string name = pq::quote_qualified(sequence.schema, sequence.name);
    // The source's rows may have taken numbers for a column that only the target has.
    if (sequence.extra && sequence.details.contains("owned_by") && digits == 0)
        return "SELECT pg_catalog.setval(" + pq::quote_literal(name) + ", GREATEST(" + number +
               ", s.last_value), s.is_called OR " + (value.is_called ? "true" : "false") + ") FROM " + name +
               " s;";
    return "SELECT pg_catalog.setval(" + pq::quote_literal(name) + ", " + number + ", " +
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
        write_comments(object, item);
        append(item.comment, kinds::extension_ddl(object));
        // Schema public of a new database belongs to the role of this name, which nobody could set.
        const bool has_its_owner = object.kind == Kind::schema && object.name == "public" &&
                                   object.owner == "pg_database_owner" && options_.target_version >= 150000;
        if (kind.has_owner && object.owner != options_.connecting_role && !has_its_owner)
            item.rights = kinds::owner_ddl(object, object.owner);
        item.changes_owner = !item.rights.empty();
        if (kind.has_acl) append(item.rights, kinds::grants_ddl(object));
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
    // Those on added columns go with these.
    static void write_comments(const model::Object& object, Item& item) {
        if (!kinds::descriptor(object.kind).has_comment) return;
        if (object.extra_elements.empty()) {
            item.comment = kinds::comment_ddl(object);
            return;
        }
        model::Object made = object, added = object;
        added.comment.reset();
        std::erase_if(made.column_comments, [&](const auto& of) { return is_added(object, of.first); });
        std::erase_if(added.column_comments, [&](const auto& of) { return !is_added(object, of.first); });
        item.comment = kinds::comment_ddl(made);
        append(item.ddl.add_elements, kinds::comment_ddl(added));
    }

    const model::Database& database_;
    const Options& options_;
    kinds::Context context_;
    std::map<model::CatalogId, const model::SequenceValue*> values_;
};

// It is there already, but for the columns, attributes and labels that only the target has.
Item only_added(const model::Object& object, Item item) {
    Item added;
    added.ddl.add_elements = std::move(item.ddl.add_elements);
    if (object.kind == Kind::table) added.ddl.validate = std::move(item.ddl.validate);
    if (!object.extra_elements.empty()) added.rights = kinds::grants_ddl(object, &object.extra_elements);
    return added;
}

} // namespace

Graph build(const model::Database& database, const Options& options) {
    const Network network = read_network(database, options);
    const Repairs repairs = find_repairs(network);
    const Writer writer(database, repairs.shape, options);
    std::vector<Item> items;
    items.reserve(database.objects.size());
    for (const model::Object& object : database.objects) {
        items.push_back(writer.write(object));
        if (options.only_extras && !object.extra) items.back() = only_added(object, std::move(items.back()));
    }
    for (std::size_t i = items.size(); i < network.nodes.size(); ++i)
        items.emplace_back().rows = !options.only_extras || network.nodes[i].extra;
    return assemble(network, repairs, items);
}

} // namespace pgsluice::graph
