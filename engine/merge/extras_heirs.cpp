// What only the target has goes down to all partitions and children that the new database will have, also to
// those that the target has never heard of: the server sees to it, and the planned database says so.
#include <algorithm>

#include "kinds/descriptor.hpp"
#include "merge/extras.hpp"
#include "merge/heirs.hpp"

namespace pgsluice::merge {

namespace {

using model::CatalogId;
using model::Kind;
using model::NaturalKey;
using model::Object;

constexpr model::Oid first_made = model::Oid{1} << 40; // no server has given these

class Inheritance {
public:
    explicit Inheritance(model::Database& planned) : planned_(planned), heirs_(planned) {}

    void run() {
        give_columns();
        give_checks();
        mark_whole_trees();
        for (auto& [key, object] : made_) planned_.objects.push_back(std::move(object));
        planned_.index();
    }

private:
    Object& changed(const Object& object) {
        return planned_.objects[static_cast<std::size_t>(&object - planned_.objects.data())];
    }

    static bool has(const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    const Object* find(const NaturalKey& key) const {
        const auto at = made_.find(key);
        return at == made_.end() ? planned_.find(key) : &at->second;
    }

    // The parent's own object, as the server makes it for the child: no statement of ours.
    void make_for(const Object& child, Object object) {
        object.table = child.name;
        object.schema = child.schema;
        object.relation = child.id;
        object.id.oid = first_made + made_.size();
        object.comment.reset();
        object.details["with_parent"] = "true";
        const NaturalKey key = model::natural_key(object);
        made_.emplace(key, std::move(object));
    }

    void give_columns() {
        std::vector<const Object*> queue;
        for (const Object& object : planned_.objects)
            if (object.kind == Kind::table && !object.extra_elements.empty()) queue.push_back(&object);
        for (std::size_t at = 0; at < queue.size(); ++at)
            for (const Object* child : heirs_.children(*queue[at]))
                if (!child->extra && give_columns(*queue[at], changed(*child))) queue.push_back(child);
    }

    bool give_columns(const Object& parent, Object& child) {
        kinds::ElementsToTake take;
        take.from_parent = true;
        for (const std::string& column : parent.extra_elements)
            if (!has(child.elements, column)) take.names.insert(column);
        if (take.names.empty()) return false;
        (void)kinds::descriptor(child.kind).take_elements(child, parent, take);
        for (const std::string& column : take.names) {
            const Object* value = find({Kind::column_default, parent.schema, parent.name, column, ""});
            if (value != nullptr) make_for(child, *value);
        }
        return true;
    }

    // Of plain inheritance no child has an object of ours for a check that it only inherits.
    void give_checks() {
        for (Object& check : planned_.objects) {
            if (check.kind != Kind::check || !check.extra || check.details.contains("not_valid")) continue;
            const Object* table = planned_.find(check.relation);
            if (table == nullptr || table->extra || !table->details.contains("partitioned")) continue;
            for (const Object* child : heirs_.below(*table)) {
                if (child->extra) continue; // made whole, and attached
                const NaturalKey key{Kind::check, child->schema, child->name, check.name, ""};
                const Object* own = planned_.find(key);
                if (own == nullptr)
                    make_for(*child, check);
                else if (own->extra)
                    changed(*own).details["with_parent"] = "true";
            }
        }
    }

    // Keys and indexes of partitioned tables whose partitions do not all have a part of it by name: the
    // server makes those.
    void mark_whole_trees() {
        std::set<std::pair<CatalogId, CatalogId>> parts; // of which, on which table
        for (const Object& object : planned_.objects) {
            if (object.kind != Kind::index && object.kind != Kind::constraint) continue;
            for (const Object* whole : wholes(object, planned_))
                parts.emplace(whole->id, planned_.resolve(object.relation));
        }
        for (Object& object : planned_.objects) {
            if (object.kind != Kind::index && object.kind != Kind::constraint) continue;
            if (!object.extra || object.details.contains("invalid")) continue;
            const Object* table = planned_.find(object.relation);
            if (table == nullptr || table->extra || !table->details.contains("partitioned")) continue;
            const auto& children = heirs_.children(*table);
            const bool lacking = std::any_of(children.begin(), children.end(), [&](const Object* child) {
                return !child->extra && !parts.contains({object.id, child->id});
            });
            if (lacking) object.details["whole_tree"] = "true";
        }
    }

    model::Database& planned_;
    const Heirs heirs_;
    std::map<NaturalKey, Object> made_;
};

} // namespace

void inherit_extras(model::Database& planned) { Inheritance(planned).run(); }

} // namespace pgsluice::merge
