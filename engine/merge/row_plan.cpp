#include "merge/row_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "merge/row_keys.hpp"
#include "merge/row_names.hpp"
#include "merge/row_types.hpp"

namespace pgsluice::merge {

namespace {

using Columns = std::vector<std::string>;
using Role = MergeTable::Role;
using model::TableFacts;

bool holds(const Columns& columns, const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
}

std::string shown(const TableName& name) { return one_line(name.schema + "." + name.name); }

// Whether every text that the other side prints for it is a value here: plain types of the server's own.
bool always_fits(const std::string& type) {
    return type.find('.') == std::string::npos && type.find('"') == std::string::npos;
}

class Planner {
public:
    Planner(const model::Database& planned, const model::Database& target, const RowOptions& options)
        : planned_(planned), options_(options) {
        for (const TableFacts& table : planned.table_facts) source_[{table.schema, table.name}] = &table;
        for (const TableFacts& table : target.table_facts) target_[{table.schema, table.name}] = &table;
    }

    RowPlan run() {
        plan_.keep_deleted = options_.keep_deleted;
        for (const std::string& text : options_.preserve) preserve(text);
        for (const auto& [name, facts] : target_)
            if (is_extra(name) && !facts->is_partition) add(name, Role::extra, {});
        for (const std::string& text : options_.references) named_reference(text);
        // Referenced tables refer on, where their natural keys hold references.
        for (std::size_t i = 0; i < plan_.tables.size(); ++i) declared_references(plan_.tables[i].name);
        cut_referenced();
        order();
        return std::move(plan_);
    }

private:
    const model::Object* object_of(const TableName& name) const {
        return planned_.find(model::NaturalKey{model::Kind::table, name.schema, "", name.name, ""});
    }
    bool is_extra(const TableName& name) const {
        const model::Object* object = object_of(name);
        return object != nullptr && object->extra;
    }

    TableName find_table(const std::string& text, const std::string& option) const {
        std::set<TableName> found;
        for (const auto* side : {&source_, &target_})
            for (const auto& [name, facts] : *side)
                if (names_table(text, name.schema, name.name)) found.insert(name);
        if (found.size() == 1) return *found.begin();
        Error error{ErrorKind::refused, option + " names a table that " +
                                            (found.empty() ? "does not exist" : "is in several schemas")};
        throw error.object(one_line(text)).hint("write SCHEMA.TABLE as pgsluice plan shows it");
    }

    void preserve(const std::string& text) {
        const Columns parts = split_name(text, '=');
        const TableName name = find_table(parts[0], "--preserve");
        Columns named;
        if (parts.size() > 1)
            for (const std::string& column : split_name(text.substr(parts[0].size() + 1), ','))
                named.push_back(unquoted(column));
        if (plan_.table(name) != nullptr)
            throw Error{ErrorKind::refused, "--preserve names a table twice"}.object(shown(name));
        if (std::find(options_.histories.begin(), options_.histories.end(), name) != options_.histories.end())
            throw Error{ErrorKind::refused,
                        "--preserve names a history of migrations, which follows the schema"}
                .object(shown(name))
                .hint("--drift and --migrate decide what becomes of the entries that only the target has");
        if (!source_.contains(name) || is_extra(name)) {
            if (!options_.source_is_right)
                throw Error{ErrorKind::refused, "the source lacks a preserved table"}
                    .object(shown(name))
                    .hint("is this the right source? then --source-is-right, or leave out its --preserve: a "
                          "table "
                          "that only the target has keeps its rows anyway");
            plan_.notes.push_back("table " + shown(name) + ": the source lacks it, nothing to merge with");
            return;
        }
        if (!target_.contains(name)) {
            plan_.notes.push_back("table " + shown(name) + ": the target has none, no rows to preserve");
            return;
        }
        for (const std::string& column : named)
            if (source_.at(name)->column(column) == nullptr || target_.at(name)->column(column) == nullptr)
                throw Error{ErrorKind::refused, "--preserve names a column that one side lacks"}
                    .object(shown(name) + "." + one_line(column))
                    .hint("name columns by which a row is known on both sides");
        add(name, Role::preserved, named);
    }

    // Of an enum, or an array of one.
    Columns labels_of(std::string type) const {
        if (type.ends_with("[]")) type.resize(type.size() - 2);
        Columns parts = split_name(type, '.');
        if (parts.size() != 2) return {};
        for (std::string& part : parts) part = unquoted(part);
        const model::Object* object =
            planned_.find(model::NaturalKey{model::Kind::enum_type, parts[0], "", parts[1], ""});
        return object == nullptr ? Columns{} : object->elements;
    }

    const TableFacts& facts_of(const TableName& name, Role role) const {
        return role == Role::extra ? *target_.at(name) : *source_.at(name);
    }

    void add(const TableName& name, Role role, const Columns& named) {
        plan_.tables.push_back(make(name, role, named));
    }

    MergeTable make(const TableName& name, Role role, const Columns& named) const {
        MergeTable table;
        table.role = role;
        table.name = name;
        const TableFacts& facts = facts_of(name, role);
        const TableFacts& theirs = *target_.at(name);
        table.partitioned = facts.is_partitioned;
        for (const model::ColumnFacts& column : facts.columns) {
            if (column.generated) continue;
            const model::ColumnFacts* other = theirs.column(column.name);
            if (other == nullptr) {
                table.missing_columns.push_back(column.name);
                continue;
            }
            MergeColumn made;
            made.name = column.name;
            made.type = column.type;
            made.there = other->type;
            made.apart = role != Role::extra && apart(column.type, other->type);
            made.not_null = column.not_null;
            made.from_sequence = column.from_sequence;
            made.labels = labels_of(column.type);
            made.may_not_fit =
                role != Role::extra && (other->type != column.type || !always_fits(column.type));
            table.columns.push_back(std::move(made));
        }
        if (role != Role::extra) add_extra_columns(table, theirs);
        set_keys(table, facts, theirs, named);
        return table;
    }

    void add_extra_columns(MergeTable& table, const TableFacts& theirs) const {
        const model::Object* object = object_of(table.name);
        if (object == nullptr) return;
        for (const model::ColumnFacts& column : theirs.columns) {
            if (column.generated || !holds(object->extra_elements, column.name)) continue;
            MergeColumn made;
            made.name = column.name;
            made.type = made.there = column.type;
            made.labels = labels_of(column.type);
            made.may_not_fit = !always_fits(column.type);
            made.from_sequence = column.from_sequence;
            made.extra = true;
            table.columns.push_back(std::move(made));
        }
    }

    void named_reference(const std::string& text) {
        const auto end_of = [&](const std::string& end) {
            const Columns words = split_name(end, '.');
            if (words.size() < 2)
                throw Error{ErrorKind::refused, "--reference has no column"}
                    .object(one_line(text))
                    .hint("write CHILD.COLUMN=PARENT.COLUMN");
            const std::string table = end.substr(0, end.size() - words.back().size() - 1);
            return std::pair{find_table(table, "--reference"), unquoted(words.back())};
        };
        const Columns ends = split_name(text, '=');
        if (ends.size() != 2)
            throw Error{ErrorKind::refused, "--reference has no ="}
                .object(one_line(text))
                .hint("write CHILD.COLUMN=PARENT.COLUMN");
        const auto [child, child_column] = end_of(ends[0]);
        const auto [parent, parent_column] = end_of(ends[1]);
        for (const auto& [name, column] :
             {std::pair{child, child_column}, std::pair{parent, parent_column}}) {
            const auto at = target_.find(name);
            if (at == target_.end() || at->second->column(column) == nullptr)
                throw Error{ErrorKind::refused, "--reference names a column that the target lacks"}.object(
                    shown(name) + "." + one_line(column));
        }
        if (plan_.table(child) == nullptr)
            throw Error{ErrorKind::refused, "--reference is of a table whose rows come from the source"}
                .object(shown(child))
                .hint("its rows refer to the source's; --preserve it, or leave the option out");
        refer(child, {child_column}, parent, {parent_column}, false);
    }

    // By value: the tables move while they are added.
    void declared_references(TableName child) { // NOLINT(performance-unnecessary-value-param)
        for (const auto* side : {&source_, &target_}) {
            const auto at = side->find(child);
            if (at == side->end()) continue;
            for (const model::ReferenceFacts& key : at->second->references) {
                const TableName parent{key.parent_schema, key.parent_name};
                const bool elsewhere = leads_elsewhere(child, key.columns);
                if (side == &target_ && (elsewhere || !is_planned(parent)))
                    add_loose(child, {key.columns, parent, {}, {}, false});
                else if (side == &source_ && !elsewhere && !target_.contains(parent))
                    add_loose(child, {key.columns, parent, key.parent_columns, {}, false});
                else if (!elsewhere)
                    refer(child, key.columns, parent, key.parent_columns, true);
            }
        }
    }

    bool is_planned(const TableName& name) const { return source_.contains(name) || is_extra(name); }

    // The same columns refer to one table in the source and to another one on the target.
    bool leads_elsewhere(const TableName& child, const Columns& columns) const {
        const auto parents = [&](const std::map<TableName, const TableFacts*>& side) {
            std::set<TableName> found;
            const auto at = side.find(child);
            if (at == side.end()) return found;
            for (const model::ReferenceFacts& key : at->second->references)
                if (key.columns == columns) found.insert({key.parent_schema, key.parent_name});
            return found;
        };
        const std::set<TableName> ours = parents(source_), theirs = parents(target_);
        return !ours.empty() && !theirs.empty() &&
               std::none_of(ours.begin(), ours.end(),
                            [&](const TableName& parent) { return theirs.contains(parent); });
    }

    void add_loose(const TableName& child, LooseReference loose) {
        const auto at = std::find_if(plan_.tables.begin(), plan_.tables.end(),
                                     [&](const MergeTable& table) { return table.name == child; });
        if (at->role != Role::preserved) return; // an extra's key waits, or holds of what is there
        for (const std::string& name : loose.columns)
            if (at->column(name) == nullptr) return;
        const bool gone = loose.parent_columns.empty();
        for (std::size_t k = 0; k < loose.parent_columns.size(); ++k) {
            const model::ColumnFacts* column = source_.at(loose.parent)->column(loose.parent_columns[k]);
            loose.by_text = loose.by_text || column->type != at->column(loose.columns[k])->type;
        }
        for (const std::string& name : loose.columns)
            if (!at->column(name)->not_null && !holds(at->primary_key, name))
                loose.null_columns.push_back(name);
        plan_.notes.push_back("table " + shown(child) + ": " +
                              (gone ? "where (" : "what the source lacks where (") +
                              one_line(join(loose.columns, ", ")) + ") refers to " + shown(loose.parent) +
                              (gone ? ", the source has nothing to refer to" : " cannot be kept"));
        at->loose_references.push_back(std::move(loose));
    }

    static bool in_a_key(const MergeTable& table, const Columns& columns) {
        const auto meets = [&](const Columns& key) {
            return std::any_of(columns.begin(), columns.end(),
                               [&](const std::string& column) { return holds(key, column); });
        };
        return std::any_of(table.natural_keys.begin(), table.natural_keys.end(), meets) ||
               std::any_of(table.expression_keys.begin(), table.expression_keys.end(),
                           [&](const ExpressionKey& key) { return meets(key.reads); });
    }

    void refer(const TableName& child, const Columns& child_columns, const TableName& parent,
               const Columns& parent_columns, bool declared) {
        const MergeTable& table = *plan_.table(child);
        for (const std::string& column : child_columns)
            if (table.column(column) == nullptr) return; // takes the source's default
        if (table.role == Role::referenced && !in_a_key(table, child_columns)) return;
        if (!target_.contains(parent) || !is_planned(parent)) return;
        for (const Reference& other : plan_.references)
            if (other.child == child && other.parent == parent && other.child_columns == child_columns &&
                other.parent_columns == parent_columns)
                return;
        const MergeTable* known = plan_.table(parent);
        if (known == nullptr && !source_.contains(parent)) return; // a partition of the target's comes empty
        const MergeTable made = known == nullptr ? make(parent, Role::referenced, {}) : *known;
        for (const std::string& column : parent_columns)
            if (made.column(column) == nullptr) return;
        for (std::size_t k = 0; k < child_columns.size(); ++k) {
            const MergeColumn& from = *plan_.table(child)->column(child_columns[k]);
            if (can_hold(from.type, made.column(parent_columns[k])->type)) continue;
            plan_.notes.push_back("table " + shown(child) + ": what column " + one_line(from.name) +
                                  " refers to has a key that it cannot hold: its values stay");
            return;
        }
        if (known == nullptr) plan_.tables.push_back(made);
        plan_.references.push_back({child, parent, child_columns, parent_columns, declared, {}});
    }

    // Of a referenced table only keys are read; and only now is it known which columns several references
    // share.
    void cut_referenced() {
        for (Reference& reference : plan_.references) {
            const MergeTable& child = *plan_.table(reference.child);
            Columns own, any;
            for (const std::string& name : reference.child_columns) {
                if (child.column(name)->not_null || holds(child.primary_key, name)) continue;
                any.push_back(name);
                const auto uses = std::count_if(
                    plan_.references.begin(), plan_.references.end(), [&](const Reference& other) {
                        return other.child == reference.child && holds(other.child_columns, name);
                    });
                if (uses == 1) own.push_back(name);
            }
            reference.null_columns = own.empty() ? any : own;
        }
        for (MergeTable& table : plan_.tables) {
            if (table.role != Role::referenced) continue;
            std::set<std::string> read(table.primary_key.begin(), table.primary_key.end());
            for (const Columns& key : table.natural_keys) read.insert(key.begin(), key.end());
            for (const ExpressionKey& key : table.expression_keys)
                read.insert(key.reads.begin(), key.reads.end());
            for (const Reference& reference : plan_.references) {
                if (reference.child == table.name)
                    read.insert(reference.child_columns.begin(), reference.child_columns.end());
                if (reference.parent == table.name)
                    read.insert(reference.parent_columns.begin(), reference.parent_columns.end());
            }
            std::erase_if(table.columns,
                          [&](const MergeColumn& column) { return !read.contains(column.name); });
            table.missing_columns.clear();
            table.duplicates_by.clear();
            if (table.generated_key && table.natural_keys == std::vector<Columns>{table.primary_key} &&
                table.expression_keys.empty())
                plan_.notes.push_back("table " + shown(table.name) +
                                      ": it has no key but a generated one: what refers to it stays at the "
                                      "source's row under the same key; --preserve it to have them compared");
        }
    }

    void order() {
        std::vector<MergeTable> ordered;
        std::set<TableName> seen;
        const auto visit = [&](const auto& self, const TableName& name) -> void {
            if (!seen.insert(name).second) return;
            for (const Reference& reference : plan_.references)
                if (reference.child == name) self(self, reference.parent);
            ordered.push_back(*plan_.table(name));
        };
        std::sort(plan_.tables.begin(), plan_.tables.end(),
                  [](const MergeTable& a, const MergeTable& b) { return a.name < b.name; });
        std::sort(plan_.references.begin(), plan_.references.end(),
                  [](const Reference& a, const Reference& b) {
                      return std::tie(a.child, a.child_columns, a.parent) <
                             std::tie(b.child, b.child_columns, b.parent);
                  });
        for (const MergeTable& table : plan_.tables) visit(visit, table.name);
        plan_.tables = std::move(ordered);
    }

    const model::Database& planned_;
    const RowOptions& options_;
    std::map<TableName, const TableFacts*> source_, target_;
    RowPlan plan_;
};

} // namespace

const MergeColumn* MergeTable::column(const std::string& wanted) const {
    for (const MergeColumn& column : columns)
        if (column.name == wanted) return &column;
    return nullptr;
}

const MergeTable* RowPlan::table(const TableName& name) const {
    for (const MergeTable& table : tables)
        if (table.name == name) return &table;
    return nullptr;
}

RowPlan plan_rows(const model::Database& planned, const model::Database& target, const RowOptions& options) {
    return Planner(planned, target, options).run();
}

} // namespace pgsluice::merge
