// The planned database: the source's schema with the target's owners, grants and properties.
#include <algorithm>

#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/extras.hpp"

namespace pgsluice::merge {

namespace {

using model::Kind;
using model::Object;

class Planner {
public:
    Planner(const model::Database& source, const model::Database& target, const Options& options,
            const Definer& definition, const Definer& whole)
        : source_(source), target_(target), options_(options), definition_(definition), whole_(whole),
          roles_(source, target, options) {}

    Planned run() {
        planned_.database = source_;
        planned_.database.properties = target_.properties;
        planned_.database.system_identifier = target_.system_identifier;
        planned_.database.roles = target_.roles;
        plan_objects();
        keep_public_schema();
        leave_out_wires();
        planned_.database.index();
        if (options_.carry_extras) carry_extras();
        note_lost_grants();
        keep_drift(target_, options_, definition_, whole_, planned_);
        for (std::string& note : roles_.notes()) planned_.notes.push_back(std::move(note));
        return std::move(planned_);
    }

private:
    void plan_objects() {
        std::vector<Object> objects;
        objects.reserve(source_.objects.size());
        for (Object& object : planned_.database.objects) {
            if (!takes_part(object)) continue;
            if (plan_object(object)) objects.push_back(std::move(object));
        }
        planned_.database.objects = std::move(objects);
    }

    // False: it cannot be there.
    bool plan_object(Object& object) {
        if (options_.left_out.contains(model::natural_key(object))) return false;
        if (object.kind == Kind::default_acl) return plan_default_acl(object);
        if (object.kind == Kind::policy && !plan_policy(object)) return false;
        const Object* shared = target_.find(model::natural_key(object));
        if (object.kind == Kind::extension && shared != nullptr) take_version(object, *shared);
        const std::string old_owner = object.owner;
        object.owner = shared != nullptr && !object.owner.empty() ? shared->owner : roles_.owner(old_owner);
        const bool of_source = shared == nullptr || options_.acl != AclChoice::target;
        const bool of_target = shared != nullptr && options_.acl != AclChoice::source;
        // Born with the database, and with other grants in other versions.
        const bool is_public = object.kind == Kind::schema && object.name == "public";
        model::Acl acl;
        std::map<std::string, model::Acl> column_acls;
        if (of_target) {
            acl = reissue(shared->acl, object.owner, roles_);
            for (const auto& [column, theirs] : shared->column_acls)
                if (has_column(object, column)) column_acls[column] = reissue(theirs, object.owner, roles_);
        }
        if (of_source) {
            const model::Acl ours = translate(object.acl, old_owner, object.owner, roles_);
            if (!of_target) acl.base = is_public && shared != nullptr ? shared->acl.base : ours.base;
            acl.current = unite(std::move(acl.current), ours.current);
            for (const auto& [column, theirs] : object.column_acls) {
                model::Acl& made = column_acls[column];
                made.current = unite(std::move(made.current),
                                     translate(theirs, old_owner, object.owner, roles_).current);
            }
        }
        std::erase_if(column_acls, [](const auto& column) { return column.second.current.empty(); });
        object.acl = std::move(acl);
        object.column_acls = std::move(column_acls);
        return true;
    }

    static bool has_column(const Object& object, const std::string& column) {
        const auto& columns = object.elements;
        return std::find(columns.begin(), columns.end(), column) != columns.end();
    }

    void carry_extras() {
        const Sides sides{source_, target_, planned_.database, options_};
        Fates fates = choose(sides, roles_);
        for (const std::string& pattern : fates.unused_keeps)
            planned_.remarks.push_back("--keep " + one_line(pattern) +
                                       ": names nothing that only the target has");
        settle_needs(sides, fates);
        adopt(source_, target_, fates, options_, whole_, roles_, planned_);
    }

    void note_lost_grants() {
        for (const Object& theirs : target_.objects) {
            const Object* made = planned_.database.find(model::natural_key(theirs));
            if (made == nullptr || made->extra) continue;
            for (const auto& [column, acl] : theirs.column_acls)
                if (!has_column(*made, column))
                    planned_.notes.push_back("the source has no column " + one_line(column) + " in " +
                                             model::display_name(*made) + ": its grants are left out");
        }
    }

    void take_version(Object& object, const Object& shared) {
        const auto version = [](const Object& extension) {
            const auto at = extension.details.find("version");
            return at == extension.details.end() ? std::string() : at->second;
        };
        object.details["installed"] = version(shared);
        if (version(object) == version(shared)) return;
        planned_.notes.push_back(model::display_name(object) + " is version " + one_line(version(object)) +
                                 " on the source and " + one_line(version(shared)) + " on the target");
    }

    // A policy for roles of which none is left would be nobody's: never everybody's.
    bool plan_policy(Object& policy) {
        if (policy.roles.empty()) return true;
        std::vector<std::string> kept;
        for (const std::string& role : policy.roles) {
            const std::string name = roles_.mapped(role);
            if (roles_.exists(name))
                kept.push_back(name);
            else
                roles_.missing(role);
        }
        std::sort(kept.begin(), kept.end());
        kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
        policy.roles = std::move(kept);
        if (!policy.roles.empty()) return true;
        planned_.notes.push_back(model::display_name(policy) +
                                 " is left out: the target has none of the roles that it is for");
        return false;
    }

    // Its name is the role whose new objects it is about.
    bool plan_default_acl(Object& object) {
        const std::string old_role = object.name;
        object.name = roles_.mapped(old_role);
        if (!roles_.exists(object.name)) {
            roles_.missing(old_role);
            return false;
        }
        if (!roles_.may_be(object.name)) {
            planned_.notes.push_back(model::display_name(object) +
                                     " is left out: the target's role may not act as " +
                                     one_line(object.name));
            return false;
        }
        const Object* shared = target_.find(model::natural_key(object));
        model::Acl acl;
        if (shared != nullptr && options_.acl != AclChoice::source) acl = shared->acl;
        if (shared == nullptr || options_.acl != AclChoice::target) {
            const model::Acl ours = translate(object.acl, old_role, object.name, roles_);
            acl.base = shared == nullptr || options_.acl == AclChoice::source ? ours.base : acl.base;
            acl.current = unite(std::move(acl.current), ours.current);
        }
        object.acl = std::move(acl);
        // Two roles of the source may be one on the target.
        return default_acls_.insert(model::natural_key(object)).second;
    }

    // Every new database has it, whatever the source did with its own.
    void keep_public_schema() {
        const model::NaturalKey key{
            .kind = Kind::schema, .schema = {}, .table = {}, .name = "public", .arguments = {}};
        if (source_.find(key) != nullptr) return;
        const Object* theirs = target_.find(key);
        if (theirs == nullptr) return;
        planned_.database.objects.push_back(*theirs);
    }

    void leave_out_wires() {
        if (options_.wires) return;
        std::erase_if(planned_.database.unsupported,
                      [](const model::Unsupported& object) { return object.wire; });
    }

    const model::Database& source_;
    const model::Database& target_;
    const Options& options_;
    const Definer& definition_;
    const Definer& whole_;
    Roles roles_;
    Planned planned_;
    std::set<model::NaturalKey> default_acls_;
};

} // namespace

Planned plan_database(const model::Database& source, const model::Database& target, const Options& options) {
    const Definer whole = [&target](const Object& object, const model::Database& database) {
        return kinds::whole_ddl(object, database, target.server_version);
    };
    return plan_database(source, target, options, definer(target.server_version), whole);
}

Planned plan_database(const model::Database& source, const model::Database& target, const Options& options,
                      const Definer& definition, const Definer& whole) {
    return Planner(source, target, options, definition, whole).run();
}

} // namespace pgsluice::merge
