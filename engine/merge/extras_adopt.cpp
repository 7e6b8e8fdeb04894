// What is carried becomes part of the planned database; what is not, a line of the pending list.
#include <algorithm>

#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/canonical.hpp"
#include "merge/extras.hpp"

namespace pgsluice::merge {

namespace {

using model::CatalogId;
using model::Kind;
using model::Object;

class Adopter {
public:
    Adopter(const model::Database& source, const model::Database& target, const Fates& fates,
            const Options& options, const Definer& whole, Roles& roles, Planned& planned)
        : source_(source), target_(target), fates_(fates), options_(options), whole_(whole), roles_(roles),
          planned_(planned), database_(planned.database) {
        for (const model::Dependency& need : target.dependencies) {
            const Object* who = target.find(need.who);
            const Object* needs = target.find(need.needs);
            if (need.type == 'a' && who != nullptr && needs != nullptr && who->kind == Kind::table &&
                needs->kind == Kind::table)
                partition_of_.emplace(need.who, need.needs);
        }
    }

    void run() {
        add_aliases();
        add_elements();
        add_objects();
        add_needs();
        add_rows();
        database_.index();
        inherit_extras(database_);
        add_sequence_values();
        add_comments();
        add_pending();
    }

private:
    Object* shared(const Object& theirs) {
        const Object* found = database_.find(model::natural_key(theirs));
        return found == nullptr
                   ? nullptr
                   : &database_.objects[static_cast<std::size_t>(found - database_.objects.data())];
    }

    void add_aliases() {
        for (const Object& theirs : target_.objects) {
            const Object* ours = shared(theirs);
            if (ours != nullptr && ours->id != theirs.id) database_.aliases.emplace(theirs.id, ours->id);
        }
    }

    std::map<CatalogId, kinds::ElementsToTake> elements_to_take() const {
        std::map<CatalogId, kinds::ElementsToTake> take;
        for (const auto& [element, fate] : fates_.elements) {
            if (fate.state != Fate::State::carried) continue;
            kinds::ElementsToTake& of_object = take[element.first];
            of_object.names.insert(element.second);
            if (fates_.inherited.contains(element)) of_object.inherited.insert(element.second);
            const Object& theirs = *target_.find(element.first);
            const Object* own_default =
                target_.find({Kind::column_default, theirs.schema, theirs.name, element.second, ""});
            if (own_default != nullptr && !fates_.carried(own_default->id))
                of_object.without_default.insert(element.second);
        }
        return take;
    }

    void add_elements() {
        for (const auto& [id, take] : elements_to_take()) {
            const Object& theirs = *target_.find(id);
            Object& ours = *shared(theirs);
            const auto take_them = kinds::descriptor(ours.kind).take_elements;
            if (take_them == nullptr) continue;
            for (const std::string& name : take_them(ours, theirs, take))
                planned_.remarks.push_back(
                    display_element(ours, name) +
                    ": NOT NULL without a default becomes nullable, as the source's rows have "
                    "no value for it");
            for (const std::string& name : take.names) {
                if (const auto comment = theirs.column_comments.find(name);
                    comment != theirs.column_comments.end())
                    ours.column_comments[name] = comment->second;
                if (const auto acl = theirs.column_acls.find(name); acl != theirs.column_acls.end())
                    ours.column_acls[name] = reissue(acl->second, ours.owner, roles_);
            }
        }
    }

    void add_objects() {
        for (const Object& theirs : target_.objects) {
            if (!fates_.carried(theirs.id)) continue;
            Object& made = database_.objects.emplace_back(theirs);
            made.extra = true;
            made.relation = database_.resolve(made.relation);
            if (made.kind != Kind::default_acl) made.acl = reissue(theirs.acl, made.owner, roles_);
            for (auto& [column, acl] : made.column_acls) acl = reissue(acl, made.owner, roles_);
        }
    }

    void add_needs() {
        for (const model::Dependency& need : target_.dependencies)
            if (fates_.carried(need.who))
                database_.dependencies.push_back({need.who, database_.resolve(need.needs), need.type});
        for (const model::ColumnNeed& need : target_.column_needs)
            if (fates_.carried(need.who))
                database_.column_needs.push_back({need.who, database_.resolve(need.relation), need.column});
        for (const model::ElementNeed& need : target_.element_needs) {
            const ElementId element{need.who, need.element};
            const bool ours = fates_.carried(element) && !fates_.inherited.contains(element);
            const CatalogId who = database_.resolve(need.who), needs = database_.resolve(need.needs);
            if (ours && who != needs && (target_.find(need.needs) != nullptr))
                database_.dependencies.push_back({who, needs, 'c'});
            if (ours || fates_.carried(need.who))
                database_.element_needs.push_back({who, need.element, needs, need.column});
        }
    }

    // A partition of a table that the source has too is made empty: its rows are that table's.
    bool is_of_shared_tree(const Object& table) const {
        const Object* at = &table;
        for (std::size_t steps = 0; steps < target_.objects.size() && at->details.contains("partition");
             ++steps) {
            const auto parent_id = partition_of_.find(at->id);
            if (parent_id == partition_of_.end()) return false;
            const Object* parent = target_.find(parent_id->second);
            if (!fates_.carried(parent->id)) return true;
            at = parent;
        }
        return false;
    }

    void add_rows() {
        std::set<std::pair<std::string, std::string>> known;
        for (const model::TableRows& rows : source_.rows) known.emplace(rows.schema, rows.name);
        for (model::TableRows rows : target_.rows) {
            rows.from_target = true;
            const Object* table = target_.find(rows.table);
            const bool of_new_extension =
                table == nullptr && rows.is_configuration && !known.contains({rows.schema, rows.name});
            if (of_new_extension ||
                (table != nullptr && fates_.carried(table->id) && !is_of_shared_tree(*table)))
                database_.rows.push_back(std::move(rows));
        }
    }

    void add_sequence_values() {
        std::set<CatalogId> known;
        for (const model::SequenceValue& value : target_.sequence_values) {
            known.insert(value.sequence);
            if (fates_.carried(value.sequence)) database_.sequence_values.push_back(value);
        }
        for (const Object& theirs : target_.objects)
            if (theirs.kind == Kind::sequence && fates_.carried(theirs.id) && !known.contains(theirs.id))
                planned_.remarks.push_back(model::display_name(theirs) +
                                           ": its value could not be read, so it begins anew");
    }

    // The source says nothing there, and did not say this when the last run read it.
    void add_comments() {
        for (const Object& theirs : target_.objects) {
            Object* ours = shared(theirs);
            if (ours == nullptr || ours->extra) continue;
            // Every database has this one from the start.
            const bool of_server = ours->kind == Kind::schema && ours->name == "public" &&
                                   ours->comment == "standard public schema";
            if ((!ours->comment || of_server) && theirs.comment &&
                !is_recorded(options_.recorded_comments, model::natural_key(theirs), *theirs.comment)) {
                ours->comment = theirs.comment;
                ours->extra_comments.insert("");
            }
            for (const auto& [column, comment] : theirs.column_comments) {
                if (std::find(ours->elements.begin(), ours->elements.end(), column) == ours->elements.end())
                    continue;
                const ElementKey key{theirs.schema, theirs.name, column};
                if (!is_recorded(options_.recorded_column_comments, key, comment) &&
                    ours->column_comments.emplace(column, comment).second)
                    ours->extra_comments.insert(column);
            }
        }
    }

    template <class Key>
    static bool is_recorded(const std::map<Key, std::string>& comments, const Key& key,
                            const std::string& text) {
        const auto at = comments.find(key);
        return at != comments.end() && at->second == definition_mark(text);
    }

    void add_pending() {
        for (const Object& theirs : target_.objects) {
            const auto fate = fates_.objects.find(theirs.id);
            if (fate == fates_.objects.end() || fate->second.state != Fate::State::pending) continue;
            planned_.pending.push_back({fate->second.why, model::natural_key(theirs),
                                        model::display_name(theirs), fate->second.reason,
                                        whole_(theirs, target_)});
        }
        for (const auto& [element, fate] : fates_.elements) {
            if (fate.state != Fate::State::pending) continue;
            const Object& theirs = *target_.find(element.first);
            const model::NaturalKey key{theirs.kind, theirs.schema, theirs.name, element.second, ""};
            planned_.pending.push_back({fate.why, key, display_element(theirs, element.second), fate.reason,
                                        element_ddl(theirs, element.second)});
        }
        for (const model::Unsupported& object : target_.unsupported) {
            if (object.wire) continue;
            const std::string name = one_line(object.kind + " " + object.name);
            planned_.pending.push_back({Pending::Why::cannot,
                                        {Kind::count_, "", object.kind, object.name, ""},
                                        name,
                                        "this version cannot carry objects of this kind",
                                        ""});
        }
    }

    // The statement that adds it to the object as the source has it.
    std::string element_ddl(const Object& theirs, const std::string& element) const {
        const Object* ours = source_.find(model::natural_key(theirs));
        if (ours == nullptr) return {};
        Object made = *ours;
        kinds::ElementsToTake take;
        take.names.insert(element);
        kinds::descriptor(made.kind).take_elements(made, theirs, take);
        const kinds::Shape shape;
        const kinds::Context context{
            .database = target_, .shape = shape, .target_version = target_.server_version};
        return kinds::descriptor(made.kind).write(made, context).add_elements;
    }

    const model::Database& source_;
    const model::Database& target_;
    const Fates& fates_;
    const Options& options_;
    const Definer& whole_;
    Roles& roles_;
    Planned& planned_;
    model::Database& database_;
    std::map<CatalogId, CatalogId> partition_of_;
};

} // namespace

std::string display_element(const Object& object, const std::string& element) {
    const char* what = "column ";
    if (object.kind == Kind::enum_type) what = "label ";
    if (object.kind == Kind::composite_type) what = "attribute ";
    return one_line(what + element + " of " + model::display_name(object));
}

void adopt(const model::Database& source, const model::Database& target, const Fates& fates,
           const Options& options, const Definer& whole, Roles& roles, Planned& planned) {
    Adopter(source, target, fates, options, whole, roles, planned).run();
}

} // namespace pgsluice::merge
