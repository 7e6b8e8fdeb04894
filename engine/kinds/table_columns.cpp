// Columns of a shared table that only the target has: added by ALTER TABLE after the source's.
#include <algorithm>

#include "base/text.hpp"
#include "kinds/sequence.hpp"
#include "kinds/table.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// As a column of a table that does not have it from a parent, with nothing that the source's rows could
// break. Returns whether that cost it its NOT NULL.
bool detach(RelationColumn& column, bool inherited, bool without_default) {
    column.is_local = !inherited;
    if (!inherited) column.inherits_not_null = column.inherits_default = column.inherits_expression = false;
    if (without_default && column.generated == '\0') column.has_default = false;
    const bool has_value =
        column.has_default || column.inherits_default || column.has_identity || column.generated != '\0';
    if (!column.not_null || has_value) return false;
    column.not_null = false;
    column.not_null_name.clear();
    return !(inherited && column.inherits_not_null); // its parent's has lost it, too, and that is said
}

// As a table below has it when its parent's ALTER TABLE has gone down.
void descend(RelationColumn& column) {
    column.is_local = false;
    column.inherits_not_null = column.not_null;
    column.inherits_default = column.has_default && column.generated == '\0';
    column.inherits_expression = column.generated != '\0';
    column.storage = column.compression = '\0'; // of the parent ONLY
    column.statistics.reset();
    column.options.clear();
}

} // namespace

bool inherits_from(const model::Object& table, const model::Object& parent) {
    if (table.kind != model::Kind::table || parent.kind != model::Kind::table || !table.body) return false;
    const auto& parents = body_of<TableBody>(table).parents;
    return std::any_of(parents.begin(), parents.end(), [&](const TableBody::Parent& one) {
        return one.schema == parent.schema && one.name == parent.name;
    });
}

std::vector<std::string> take_columns(model::Object& shared, const model::Object& theirs,
                                      const ElementsToTake& take) {
    auto body = std::make_shared<TableBody>(body_of<TableBody>(shared));
    std::vector<std::string> nullable;
    for (RelationColumn column : body_of<TableBody>(theirs).columns) {
        if (!take.names.contains(column.name)) continue;
        if (take.from_parent)
            descend(column);
        else if (detach(column, take.inherited.contains(column.name),
                        take.without_default.contains(column.name)))
            nullable.push_back(column.name);
        if (column.is_local) shared.details["adds_columns"] = "true"; // else they come through a parent
        shared.elements.push_back(column.name);
        shared.extra_elements.push_back(column.name);
        body->columns.push_back(std::move(column));
    }
    shared.body = std::move(body);
    return nullable;
}

bool is_added(const model::Object& table, const RelationColumn& column) {
    return std::find(table.extra_elements.begin(), table.extra_elements.end(), column.name) !=
           table.extra_elements.end();
}

std::string add_columns(const model::Object& table, const Context& context,
                        std::string (*clause)(const model::Object&, const RelationColumn&, const Context&)) {
    std::string ddl;
    for (const RelationColumn& column : body_of<TableBody>(table).columns) {
        if (!is_added(table, column) || !column.is_local) continue;
        if (!ddl.empty()) ddl += "\n";
        // Not ONLY: children inherit it.
        ddl += "ALTER TABLE " + qualified_address(table) + " ADD COLUMN " + clause(table, column, context);
        if (column.has_identity) ddl += identity_clause(table, column.name, context.database);
        ddl += ";" + column_settings(table, column);
    }
    return ddl;
}

std::string added_not_nulls(const model::Object& table) {
    std::vector<std::string> ddl;
    for (const RelationColumn& column : body_of<TableBody>(table).columns) {
        if (!is_added(table, column) || !column.not_null || column.has_identity) continue;
        if (!column.is_local && column.inherits_not_null) continue;
        const std::string alter = "ALTER TABLE " + qualified_address(table);
        const std::string name = pq::quote_identifier(column.name);
        const bool plain =
            column.not_null_name.empty() && !column.not_null_no_inherit && column.not_null_valid;
        if (plain) {
            ddl.push_back(alter + " ALTER COLUMN " + name + " SET NOT NULL;");
            continue;
        }
        const std::string constraint =
            column.not_null_name.empty() ? "" : " CONSTRAINT " + pq::quote_identifier(column.not_null_name);
        ddl.push_back(alter + " ADD" + constraint + " NOT NULL " + name +
                      (column.not_null_no_inherit ? " NO INHERIT" : "") +
                      (column.not_null_valid ? "" : " NOT VALID") + ";");
    }
    return join(ddl, "\n");
}

} // namespace pgsluice::kinds
