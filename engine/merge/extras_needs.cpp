// Everything that needs what will not be there: pending, with the reason in words, until nothing more
// follows.
#include <algorithm>

#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/extras.hpp"

namespace pgsluice::merge {

namespace {

using model::CatalogId;
using model::Kind;
using model::Object;

class Settler {
public:
    Settler(const Sides& sides, Fates& fates) : sides_(sides), fates_(fates) {
        needs_ = sides.target.dependencies;
        for (const Object& object : sides.target.objects) {
            const kinds::Descriptor& kind = kinds::descriptor(object.kind);
            // A key of a partition needs no adopter, a check no heir: they can do without.
            if (kind.edges != nullptr && object.kind != Kind::foreign_key && object.kind != Kind::check)
                kind.edges(object, sides.target, needs_);
        }
        for (const model::Dependency& need : sides.target.dependencies)
            if (is_table(need.who) && is_table(need.needs)) parents_[need.who].push_back(need.needs);
    }

    void run() {
        do settle();
        while (bring_along());
    }

private:
    void settle() {
        do {
            changed_ = false;
            for (const model::Dependency& need : needs_)
                if (fates_.carried(need.who)) leave_out(fates_.objects[need.who], missing(need));
            for (const model::ColumnNeed& need : sides_.target.column_needs)
                if (fates_.carried(need.who))
                    leave_out(fates_.objects[need.who], missing(need.relation, need.column));
            for (const model::ElementNeed& need : sides_.target.element_needs) {
                const ElementId element{need.who, need.element};
                if (fates_.carried(element)) leave_out(fates_.elements[element], missing(need));
            }
            for (const ElementId& element : fates_.inherited)
                if (fates_.carried(element)) leave_out(fates_.elements[element], missing_parent(element));
        } while (changed_);
    }

    // By its origin, and not for what it is.
    bool is_left(CatalogId id) const {
        const auto fate = fates_.objects.find(id);
        if (fate == fates_.objects.end() || fate->second.name_is_taken) return false;
        return fate->second.state == Fate::State::dropped ||
               (fate->second.state == Fate::State::pending && fate->second.why == Pending::Why::migration);
    }

    bool is_check(CatalogId id) const {
        const Object* object = sides_.target.find(id);
        return object != nullptr && object->kind == Kind::check;
    }

    // What is carried cannot live without its schema, extension or types, whatever became of these on the
    // source.
    bool can_be_brought(CatalogId id) const {
        return is_left(id) && model::is_namespace_or_type(sides_.target.find(id)->kind);
    }

    bool bring_along() {
        bool brought = false;
        const auto bring = [&](CatalogId needs) {
            if (!can_be_brought(needs)) return;
            fates_.objects[needs] = {};
            for (const model::Dependency& part : sides_.target.dependencies) // a domain's checks
                if (part.needs == needs && is_check(part.who) && is_left(part.who))
                    fates_.objects[part.who] = {};
            brought = true;
        };
        for (const model::Dependency& need : needs_)
            if (fates_.carried(need.who)) bring(need.needs);
        for (const model::ElementNeed& need : sides_.target.element_needs)
            if (fates_.carried(need.who) || fates_.carried(ElementId{need.who, need.element}))
                bring(need.needs);
        return brought;
    }

    void leave_out(Fate& fate, const std::string& missing) {
        if (missing.empty()) return;
        fate = {Fate::State::pending, Pending::Why::cannot, "needs " + missing, false};
        changed_ = true;
    }

    std::string why(const Fate& fate) const {
        if (fate.state == Fate::State::dropped)
            return ", which the source has dropped since " + one_line(sides_.options.recorded_at);
        if (fate.why == Pending::Why::migration) return ", which comes from a migration";
        return ", which cannot come along";
    }

    // In words, what is not there; empty: nothing.
    std::string missing(CatalogId id) const {
        const Object* needs = sides_.target.find(id);
        if (needs == nullptr || sides_.shared(*needs) != nullptr || fates_.carried(id) || can_be_brought(id))
            return {};
        const auto fate = fates_.objects.find(id);
        return model::display_name(*needs) +
               (fate == fates_.objects.end() ? ", which is left out" : why(fate->second));
    }

    std::string missing(const model::Dependency& need) const {
        if (std::string found = missing(need.needs); !found.empty()) return found;
        if (need.type != 'a') return {};
        const Object* who = sides_.target.find(need.who);
        const Object* needs = sides_.target.find(need.needs);
        if (who == nullptr || needs == nullptr || who->kind != Kind::table || needs->kind != Kind::table)
            return {};
        const Object* parent = sides_.shared(*needs);
        if (parent == nullptr ||
            parent->details.contains("partitioned") == needs->details.contains("partitioned"))
            return {};
        return model::display_name(*parent) + " to be partitioned, which it is not on the source";
    }

    std::string missing(CatalogId relation, const std::string& column) const {
        const Object* theirs = sides_.target.find(relation);
        const Object* ours = theirs == nullptr ? nullptr : sides_.shared(*theirs);
        if (ours == nullptr || fates_.carried(ElementId{relation, column})) return {};
        if (std::find(ours->elements.begin(), ours->elements.end(), column) != ours->elements.end())
            return {};
        const auto fate = fates_.elements.find({relation, column});
        return "column " + one_line(column) + " of " + model::display_name(*ours) +
               (fate == fates_.elements.end() ? ", which the source lacks" : why(fate->second));
    }

    std::string missing(const model::ElementNeed& need) const {
        if (!need.column.empty())
            return need.who == need.needs && need.column == need.element ? ""
                                                                         : missing(need.needs, need.column);
        return missing(need.needs);
    }

    // A column that some shared table above has to get.
    std::string missing_parent(const ElementId& element) const {
        std::string found;
        const auto parents = parents_.find(element.first);
        if (parents == parents_.end()) return "a parent that has it";
        for (const CatalogId parent : parents->second) {
            const ElementId above{parent, element.second};
            if (fates_.carried(above)) return {};
            if (const auto at = fates_.elements.find(above); at != fates_.elements.end())
                found = display_element(*sides_.target.find(parent), element.second) + why(at->second);
        }
        return found.empty() ? "a parent that has it" : found;
    }

    bool is_table(CatalogId id) const {
        const Object* found = sides_.target.find(id);
        return found != nullptr && found->kind == Kind::table;
    }

    const Sides& sides_;
    Fates& fates_;
    std::vector<model::Dependency> needs_;
    std::map<CatalogId, std::vector<CatalogId>> parents_; // of partitions and children of inheritance
    bool changed_ = false;
};

} // namespace

void settle_needs(const Sides& sides, Fates& fates) { Settler(sides, fates).run(); }

} // namespace pgsluice::merge
