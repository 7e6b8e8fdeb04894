// CREATE TABLE and the ALTERs that complete it. A partition is created stand-alone and attached: with rows
// loaded side by side, and with columns in an order of its own.
#include <algorithm>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "kinds/check.hpp"
#include "kinds/column_default.hpp"
#include "kinds/table.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

bool is_partition(const TableBody& table) { return !table.partition_bound.empty(); }

// What a child only inherits comes with INHERITS.
bool is_written(const TableBody& table, const RelationColumn& column) {
    return column.is_local || is_partition(table);
}

// A step of its own.
bool comes_later(const model::Object& object, const RelationColumn& column, const Context& context) {
    return !context.whole && is_added(object, column);
}

// INHERITS puts the parents' columns first. A table that was made before and has its own order got its
// parents by ALTER TABLE, and all columns are its own, too.
bool inherits_later(const model::Object& object, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    if (table.parents.empty() || is_partition(table)) return false;
    std::vector<std::string> ours, with_clause;
    for (const RelationColumn& column : table.columns) {
        if (comes_later(object, column, context)) continue;
        if (!column.is_local) return false;
        ours.push_back(column.name);
    }
    const auto add = [&](const std::vector<RelationColumn>& columns) {
        for (const RelationColumn& column : columns)
            if (std::find(with_clause.begin(), with_clause.end(), column.name) == with_clause.end() &&
                std::find(ours.begin(), ours.end(), column.name) != ours.end())
                with_clause.push_back(column.name);
    };
    for (const TableBody::Parent& parent : table.parents) {
        const model::Object* found =
            context.database.find({model::Kind::table, parent.schema, "", parent.name, ""});
        if (found != nullptr) add(body_of<TableBody>(*found).columns);
    }
    add(table.columns);
    return with_clause != ours;
}

// Made without its parents: all that it has from them is written.
bool stands_alone(const model::Object& object, const Context& context) {
    return is_partition(body_of<TableBody>(object)) || inherits_later(object, context);
}

std::string not_null_clause(const RelationColumn& column) {
    std::string clause;
    if (!column.not_null_name.empty()) clause += " CONSTRAINT " + pq::quote_identifier(column.not_null_name);
    clause += " NOT NULL";
    if (column.not_null_no_inherit) clause += " NO INHERIT";
    return clause;
}

bool writes_not_null(const model::Object& object, const RelationColumn& column, const Context& context) {
    return column.not_null && column.not_null_valid &&
           (!column.inherits_not_null || stands_alone(object, context));
}

// A child whose default was dropped must say so, or it inherits the parent's.
bool needs_default_null(const model::Object& object, const RelationColumn& column, const Context& context) {
    if (!column.inherits_default || column.has_default || column.has_identity) return false;
    // One that only the target has may come after it.
    return !context.whole || context.database.find({model::Kind::column_default, object.schema, object.name,
                                                    column.name, ""}) == nullptr;
}

std::string default_clause(const model::Object& object, const RelationColumn& column,
                           const Context& context) {
    if (column.generated != '\0') {
        if (column.inherits_expression && !stands_alone(object, context)) return {};
        return " GENERATED ALWAYS AS (" + column.expression + ")" +
               (column.generated == 's' ? " STORED" : "");
    }
    if (const std::optional<std::string> expression = inline_default(object, column.name, context))
        return " DEFAULT " + *expression;
    if (needs_default_null(object, column, context) && !stands_alone(object, context)) return " DEFAULT NULL";
    return {};
}

std::string column_clause(const model::Object& object, const RelationColumn& column, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    std::string constraints = default_clause(object, column, context);
    if (writes_not_null(object, column, context) && !comes_later(object, column, context))
        constraints += not_null_clause(column);
    const std::string name = pq::quote_identifier(column.name);
    if (table.of_type.empty()) return name + " " + column.type + collate_clause(column) + constraints;
    if (constraints.empty()) return {};
    return name + " WITH OPTIONS" + constraints;
}

// Columns and checks in parentheses; a typed table has none when it has nothing to say.
std::string body_clause(const model::Object& object, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    std::vector<std::string> items;
    for (const RelationColumn& column : table.columns) {
        if (!is_written(table, column) || comes_later(object, column, context)) continue;
        std::string clause = column_clause(object, column, context);
        if (!clause.empty()) items.push_back(std::move(clause));
    }
    for (std::string& check : inline_checks(object, context)) items.push_back(std::move(check));
    if (items.empty()) return table.of_type.empty() ? " (\n)" : "";
    return " (\n    " + join(items, ",\n    ") + "\n)";
}

std::string inherit_statements(const model::Object& object) {
    std::string ddl;
    for (const TableBody::Parent& parent : body_of<TableBody>(object).parents)
        ddl += "\nALTER TABLE ONLY " + qualified_address(object) + " INHERIT " +
               pq::quote_qualified(parent.schema, parent.name) + ";";
    return ddl;
}

std::string inherits_clause(const TableBody& table) {
    if (table.parents.empty() || is_partition(table)) return {};
    std::vector<std::string> parents;
    for (const TableBody::Parent& parent : table.parents)
        parents.push_back(pq::quote_qualified(parent.schema, parent.name));
    return "\nINHERITS (" + join(parents, ", ") + ")";
}

// The server makes no child of parents that store a column each in its own way: they are alike while it is
// made.
struct Alike {
    std::string before, after;
};

void make_alike(const model::Object& parent, const RelationColumn& column, Alike& alike) {
    RelationColumn plain, own;
    plain.name = own.name = column.name;
    plain.storage = 'p';
    own.storage = column.storage != '\0' ? column.storage : column.type_storage;
    if (column.compression != '\0' && column.compression != 'd') {
        plain.compression = 'd';
        own.compression = column.compression;
    }
    alike.before += column_settings(parent, plain).substr(1) + "\n";
    alike.after += column_settings(parent, own);
}

Alike alike_parents(const model::Object& object, const Context& context) {
    Alike alike;
    const auto& table = body_of<TableBody>(object);
    if (table.parents.size() < 2 || context.compared) return alike;
    std::map<std::string, std::vector<std::pair<const model::Object*, const RelationColumn*>>> inherited;
    for (const TableBody::Parent& parent : table.parents) {
        const model::Object* found =
            context.database.find({model::Kind::table, parent.schema, "", parent.name, ""});
        if (found == nullptr) continue;
        for (const RelationColumn& column : body_of<TableBody>(*found).columns)
            if (!comes_later(*found, column, context)) inherited[column.name].emplace_back(found, &column);
    }
    for (const auto& item : inherited) { // no structured binding: clang 14 lets no lambda have it
        const auto& columns = item.second;
        const auto stored = [](const RelationColumn& column) {
            const char compression = column.compression == 'd' ? '\0' : column.compression;
            return std::pair(column.storage != '\0' ? column.storage : column.type_storage, compression);
        };
        const bool differ = std::any_of(columns.begin(), columns.end(), [&](const auto& of) {
            return stored(*of.second) != stored(*columns.front().second);
        });
        if (!differ) continue;
        for (const auto& [parent, column] : columns) make_alike(*parent, *column, alike);
    }
    return alike;
}

std::string create_table(const model::Object& object, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    // 18 refuses UNLOGGED for partitioned tables, where it never meant anything.
    const bool unlogged = table.unlogged && (table.partition_key.empty() || context.target_version < 180000);
    const bool later = inherits_later(object, context);
    const Alike alike = later ? Alike{} : alike_parents(object, context);
    std::string ddl = alike.before + (unlogged ? "CREATE UNLOGGED TABLE " : "CREATE TABLE ");
    ddl += qualified_address(object);
    if (!table.of_type.empty()) ddl += " OF " + table.of_type;
    ddl += body_clause(object, context);
    if (!later) ddl += inherits_clause(table);
    if (!table.partition_key.empty()) ddl += "\nPARTITION BY " + table.partition_key;
    if (!table.access_method.empty()) ddl += "\nUSING " + pq::quote_identifier(table.access_method);
    if (const std::string with = with_clause(table.options, table.toast_options); !with.empty())
        ddl += "\n" + with.substr(1);
    return ddl + ";" + (later ? inherit_statements(object) : "") + alike.after;
}

// For columns that CREATE TABLE does not name, and for what it cannot say.
std::string complete_columns(const model::Object& object, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    std::string ddl;
    for (const RelationColumn& column : table.columns) {
        if (comes_later(object, column, context)) continue;
        const std::string alter = "\nALTER TABLE ONLY " + qualified_address(object) + " ALTER COLUMN " +
                                  pq::quote_identifier(column.name) + " SET ";
        if (!is_written(table, column)) {
            if (writes_not_null(object, column, context)) ddl += alter + "NOT NULL;";
            if (needs_default_null(object, column, context)) ddl += alter + "DEFAULT NULL;";
        }
        ddl += column_settings(object, column);
    }
    return ddl;
}

std::string replica_identity(const model::Object& object) {
    const char identity = body_of<TableBody>(object).replica_identity;
    if (identity != 'n' && identity != 'f') return {};
    return "\nALTER TABLE ONLY " + qualified_address(object) + " REPLICA IDENTITY " +
           (identity == 'n' ? "NOTHING;" : "FULL;");
}

std::string attach(const model::Object& object) {
    const auto& table = body_of<TableBody>(object);
    if (!is_partition(table) || table.parents.empty()) return {};
    return "ALTER TABLE ONLY " +
           pq::quote_qualified(table.parents.front().schema, table.parents.front().name) +
           " ATTACH PARTITION " + qualified_address(object) + " " + table.partition_bound + ";";
}

// Forced row security set early refuses COPY; NOT NULLs that rows may break come after the rows.
std::string after_rows(const model::Object& object, const Context& context) {
    const auto& table = body_of<TableBody>(object);
    const std::string name = qualified_address(object);
    std::vector<std::string> ddl;
    if (table.row_security) ddl.push_back("ALTER TABLE " + name + " ENABLE ROW LEVEL SECURITY;");
    if (table.force_row_security) ddl.push_back("ALTER TABLE ONLY " + name + " FORCE ROW LEVEL SECURITY;");
    for (const RelationColumn& column : table.columns) {
        if (!column.not_null || column.not_null_valid || column.inherits_not_null) continue;
        if (comes_later(object, column, context)) continue;
        std::string constraint;
        if (!column.not_null_name.empty())
            constraint = " CONSTRAINT " + pq::quote_identifier(column.not_null_name);
        ddl.push_back("ALTER TABLE " + name + " ADD" + constraint + " NOT NULL " +
                      pq::quote_identifier(column.name) + (column.not_null_no_inherit ? " NO INHERIT" : "") +
                      " NOT VALID;");
    }
    return join(ddl, "\n");
}

// Columns that the target's child has from its parent, and without the parent's default.
std::string dropped_defaults(const model::Object& object, const Context& context) {
    std::string ddl;
    for (const RelationColumn& column : body_of<TableBody>(object).columns) {
        if (!is_added(object, column) || column.is_local) continue;
        if (!needs_default_null(object, column, context)) continue;
        ddl += (ddl.empty() ? "" : "\n") + ("ALTER TABLE ONLY " + qualified_address(object)) +
               " ALTER COLUMN " + pq::quote_identifier(column.name) + " SET DEFAULT NULL;";
    }
    return ddl;
}

} // namespace

Ddl write_table(const model::Object& object, const Context& context) {
    Ddl ddl;
    ddl.create = create_table(object, context) + complete_columns(object, context) + replica_identity(object);
    ddl.drop = "DROP TABLE " + qualified_address(object) + ";";
    ddl.attach = attach(object);
    ddl.after_rows = after_rows(object, context);
    if (context.whole) return ddl;
    ddl.add_elements = add_columns(object, context, column_clause);
    ddl.validate = added_not_nulls(object);
    const std::string dropped = dropped_defaults(object, context);
    if (!dropped.empty()) ddl.validate += (ddl.validate.empty() ? "" : "\n") + dropped;
    return ddl;
}

} // namespace pgsluice::kinds
