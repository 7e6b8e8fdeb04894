// Which objects and elements only the target has, and which of them are not to come along whatever they need.
#include <algorithm>

#include "base/text.hpp"
#include "merge/column_types.hpp"
#include "merge/extras.hpp"

namespace pgsluice::merge {

namespace {

using model::CatalogId;
using model::Kind;
using model::Object;

// Names of the source that nothing else may have: pg_class and pg_type have one namespace each per schema,
// constraints one per table, routines one per list of arguments.
class TakenNames {
public:
    explicit TakenNames(const model::Database& planned) {
        for (const Object& object : planned.objects)
            for (const Name& name : names_of(object)) taken_.emplace(name, &object);
    }

    const Object* holder(const Object& object) const {
        for (const Name& name : names_of(object))
            if (const auto at = taken_.find(name); at != taken_.end()) return at->second;
        return nullptr;
    }

private:
    using Name = std::vector<std::string>; // the namespace first

    static std::vector<Name> names_of(const Object& object) {
        const Name relation = {"relation", object.schema, object.name};
        const Name type = {"type", object.schema, object.name};
        switch (object.kind) {
        case Kind::table:
        case Kind::view:
        case Kind::materialized_view:
        case Kind::composite_type: return {relation, type};
        case Kind::sequence:
        case Kind::index: return {relation};
        case Kind::enum_type:
        case Kind::domain: return {type};
        case Kind::range_type:
            if (!object.details.contains("multirange")) return {type};
            return {type, {"type", object.details.at("multirange_schema"), object.details.at("multirange")}};
        case Kind::constraint: // the name of its index too
            return {relation, {"constraint", object.schema, object.table, object.name}};
        case Kind::check:
        case Kind::foreign_key: return {{"constraint", object.schema, object.table, object.name}};
        case Kind::function:
        case Kind::procedure:
        case Kind::aggregate: return {{"routine", object.schema, object.name, object.arguments}};
        default: return {};
        }
    }

    std::map<Name, const Object*> taken_;
};

class Keeper {
public:
    Keeper(const Sides& sides) : sides_(sides) {
        // What a table owns goes by the table's name too.
        for (const model::Dependency& dependency : sides.target.dependencies)
            if (dependency.type == 'a' || dependency.type == 'i')
                owners_.emplace(dependency.who, dependency.needs);
    }

    bool keeps(const Object& object) const {
        std::vector<std::string> names = {object.name};
        if (!object.table.empty()) {
            names = {object.table, object.table + "." + object.name};
        } else if (const Object* table = table_of(object); table != nullptr) {
            names.push_back(table->name);
        }
        return matches(object.schema, names);
    }
    bool keeps(const Object& object, const std::string& element) const {
        return matches(object.schema, {object.name, object.name + "." + element});
    }

    std::vector<std::string> unused() const {
        std::vector<std::string> patterns;
        for (const std::string& pattern : sides_.options.keep)
            if (!used_.contains(pattern)) patterns.push_back(pattern);
        return patterns;
    }

private:
    static std::string qualified(const std::string& schema, const std::string& name) {
        return schema.empty() ? name : schema + "." + name;
    }
    const Object* table_of(const Object& object) const {
        if (object.kind == Kind::index || object.kind == Kind::statistics)
            return sides_.target.find(object.relation);
        const auto owner = owners_.find(object.id);
        return object.kind == Kind::sequence && owner != owners_.end() ? sides_.target.find(owner->second)
                                                                       : nullptr;
    }
    // With the schema and without: --preserve takes both, too.
    bool matches(const std::string& schema, const std::vector<std::string>& names) const {
        bool found = false;
        for (const std::string& pattern : sides_.options.keep)
            for (const std::string& name : names)
                if (matches_pattern(pattern, name) || matches_pattern(pattern, qualified(schema, name))) {
                    used_.insert(pattern);
                    found = true;
                }
        return found;
    }

    const Sides& sides_;
    std::map<CatalogId, CatalogId> owners_;
    mutable std::set<std::string> used_; // patterns that have matched something
};

class Chooser {
public:
    Chooser(const Sides& sides, const Roles& roles)
        : sides_(sides), roles_(roles), taken_(sides.planned), keeper_(sides), column_types_(sides.source) {
        for (const model::Dependency& dependency : sides.source.dependencies) {
            const Object* child = sides.source.find(dependency.who);
            const Object* parent = sides.source.find(dependency.needs);
            if (child == nullptr || parent == nullptr || child->kind != Kind::table ||
                parent->kind != Kind::table)
                continue;
            if (!child->details.contains("inherits")) continue;
            parents_[child->id].push_back(parent);
            children_[parent->id].push_back(child);
        }
        for (const model::ColumnNeed& need : sides.target.column_needs)
            if (const Object* who = sides.target.find(need.who);
                who != nullptr && who->details.contains("owned_by"))
                owned_by_.emplace(need.who, need);
    }

    Fates run() {
        for (const Object& object : sides_.target.objects) {
            if (!takes_part(object)) continue;
            const Object* shared = sides_.shared(object);
            if (shared != nullptr)
                choose_elements(object, *shared);
            else if (sides_.source.find(model::natural_key(object)) == nullptr)
                fates_.objects.emplace(object.id, of_object(object));
        }
        fates_.unused_keeps = keeper_.unused();
        return std::move(fates_);
    }

private:
    static Fate pending(std::string reason) {
        return {Fate::State::pending, Pending::Why::cannot, std::move(reason), false};
    }

    std::optional<Fate> by_origin(bool kept, bool recorded) const {
        if (kept) return std::nullopt;
        if (recorded) return Fate{Fate::State::dropped, Pending::Why::cannot, {}, false};
        if (sides_.options.extras_are_migrations)
            return Fate{Fate::State::pending, Pending::Why::migration,
                        "comes from a migration that the service will run again", false};
        return std::nullopt;
    }

    Fate of_object(const Object& object) const {
        const bool recorded = sides_.options.recorded_objects.contains(model::natural_key(object));
        const Object* holder = taken_.holder(object);
        if (auto fate = by_origin(keeper_.keeps(object), recorded)) {
            fate->name_is_taken = holder != nullptr;
            return *fate;
        }
        if (holder != nullptr)
            return pending("the source has a " + std::string(model::kind_name(holder->kind)) +
                           " of this name");
        if (takes_its_values_elsewhere(object))
            return {Fate::State::pending, Pending::Why::drift,
                    "on the source the column's values come from elsewhere", false};
        if (object.kind == Kind::default_acl && !roles_.may_be(object.name))
            return pending("the connecting role may not act as " + one_line(object.name));
        return {};
    }

    // A default or an identity of a shared column that the source has made another of: an identity,
    // generated, or with a default where the target has an identity.
    bool takes_its_values_elsewhere(const Object& object) const {
        const bool identity = object.kind == Kind::sequence && object.details.contains("owned_by") &&
                              object.details.at("owned_by") == "identity";
        const auto owner = owned_by_.find(object.id);
        if (object.kind != Kind::column_default && (!identity || owner == owned_by_.end())) return false;
        const Object* theirs = sides_.target.find(identity ? owner->second.relation : object.relation);
        const Object* ours = theirs == nullptr ? nullptr : sides_.shared(*theirs);
        if (ours == nullptr) return false;
        const std::string& column = identity ? owner->second.column : object.name;
        return ours->computed_elements.contains(column) ||
               sides_.planned.find({Kind::column_default, ours->schema, ours->name, column, ""}) != nullptr;
    }

    void choose_elements(const Object& theirs, const Object& shared) {
        if (!has_elements(theirs)) return;
        const std::set<std::string> ours(shared.elements.begin(), shared.elements.end());
        for (const std::string& element : theirs.elements)
            if (!ours.contains(element))
                fates_.elements.emplace(ElementId{theirs.id, element}, of_element(theirs, shared, element));
    }

    Fate of_element(const Object& theirs, const Object& shared, const std::string& element) {
        const ElementKey key{theirs.schema, theirs.name, element};
        const bool recorded = sides_.options.recorded_elements.contains(key);
        if (const auto fate = by_origin(keeper_.keeps(theirs, element), recorded)) return *fate;
        if (theirs.kind == Kind::enum_type) return {};
        if (column_types_.contains(shared.id)) return pending(model::display_name(shared) + type_in_use);
        if (theirs.kind != Kind::table) return {};
        return of_column(theirs, shared, element);
    }

    Fate of_column(const Object& theirs, const Object& shared, const std::string& column) {
        if (shared.details.contains("typed"))
            return pending("the columns of a typed table are those of its type");
        const auto parents = parents_.find(shared.id);
        if (parents != parents_.end())
            for (const Object* parent : parents->second)
                if (comes_from(*parent, column)) {
                    fates_.inherited.insert({theirs.id, column});
                    return {};
                }
        if (shared.details.contains("partition"))
            return pending("the partitioned table of " + model::display_name(shared) + " does not have it");
        if (const Object* child = child_with(shared, column); child != nullptr)
            return pending(model::display_name(*child) + ", which inherits it, has a column of this name");
        return {};
    }

    // The parent's own fate decides (settle_needs()).
    bool comes_from(const Object& parent, const std::string& column) const {
        const Object* theirs = sides_.target.find(model::natural_key(parent));
        if (theirs == nullptr) return false;
        return std::find(theirs->elements.begin(), theirs->elements.end(), column) !=
                   theirs->elements.end() &&
               std::find(parent.elements.begin(), parent.elements.end(), column) == parent.elements.end();
    }

    const Object* child_with(const Object& table, const std::string& column) const {
        std::vector<CatalogId> queue = {table.id};
        std::set<CatalogId> seen = {table.id};
        for (std::size_t at = 0; at < queue.size(); ++at) {
            const auto children = children_.find(queue[at]);
            if (children == children_.end()) continue;
            for (const Object* child : children->second) {
                if (!seen.insert(child->id).second) continue;
                if (std::find(child->elements.begin(), child->elements.end(), column) !=
                    child->elements.end())
                    return child;
                queue.push_back(child->id);
            }
        }
        return nullptr;
    }

    const Sides& sides_;
    const Roles& roles_;
    TakenNames taken_;
    Keeper keeper_;
    ColumnTypes column_types_;
    std::map<CatalogId, std::vector<const Object*>> parents_, children_;
    std::map<CatalogId, model::ColumnNeed> owned_by_; // of sequences of the target
    Fates fates_;
};

} // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool Fates::carried(CatalogId object) const {
    const auto at = objects.find(object);
    return at != objects.end() && at->second.state == Fate::State::carried;
}

bool Fates::carried(const ElementId& element) const {
    const auto at = elements.find(element);
    return at != elements.end() && at->second.state == Fate::State::carried;
}

const Object* Sides::shared(const Object& theirs) const { return planned.find(model::natural_key(theirs)); }

Fates choose(const Sides& sides, const Roles& roles) { return Chooser(sides, roles).run(); }

} // namespace pgsluice::merge
