#include <algorithm>
#include <tuple>

#include "merge/canonical.hpp"
#include "merge/heirs.hpp"
#include "merge/parts.hpp"

namespace pgsluice::merge {

namespace {

using model::Grant;
using model::Kind;
using model::Object;

std::string sorted(std::string letters) {
    std::sort(letters.begin(), letters.end());
    return letters;
}

// What an ACL says, whatever its order: PostgreSQL appends, and moves what is granted again.
std::string grants_text(const std::vector<Grant>& grants) {
    std::set<std::tuple<std::string, std::string, std::string, std::string>> items;
    for (const Grant& grant : grants)
        if (!grant.privileges.empty())
            items.emplace(grant.grantee, grant.grantor, sorted(grant.privileges), sorted(grant.with_option));
    std::string text;
    for (const auto& [grantee, grantor, privileges, with_option] : items) {
        if (!text.empty()) text += ", ";
        text += (grantee.empty() ? "PUBLIC" : grantee) + "=" + privileges;
        if (!with_option.empty()) text += " (grants " + with_option + ")";
        text += " by " + grantor;
    }
    return text;
}

std::string all_grants(const Object& object) {
    std::vector<Grant> grants = object.acl.current;
    if (object.kind == Kind::default_acl) // whoever set it: its role is the grantor of what it will grant
        for (Grant& grant : grants) grant.grantor = object.name;
    std::string text = grants_text(grants);
    for (const auto& [column, acl] : object.column_acls) {
        const std::string of_column = grants_text(acl.current);
        if (!of_column.empty()) text += "; " + column + ": " + of_column;
    }
    return text;
}

std::string all_comments(const Object& object) {
    std::string text = object.comment.value_or("");
    for (const auto& [column, comment] : object.column_comments) text += "\n" + column + ": " + comment;
    return text;
}

class Comparer {
public:
    Comparer(const model::Database& planned, const model::Database& found, const Definer& definition)
        : planned_(planned), found_(found), definition_(definition) {
        const Heirs heirs(planned);
        for (const Object& object : planned.objects) {
            if (!object.extra || object.kind != Kind::constraint) continue;
            keyed_.emplace(object.schema, object.table);
            if (const Object* table = planned.find(object.relation); table != nullptr)
                for (const Object* child : heirs.below(*table)) keyed_.emplace(child->schema, child->name);
        }
    }

    std::vector<Difference> run() {
        for (const Object& object : planned_.objects) {
            if (!takes_part(object)) continue;
            const Object* other = found_.find(model::natural_key(object));
            if (other == nullptr)
                add(object, "missing", definition_(object, planned_), "");
            else
                compare(object, *other);
        }
        for (const Object& object : found_.objects) {
            if (!takes_part(object) || planned_.find(model::natural_key(object)) != nullptr) continue;
            // A new database is born with it.
            if (object.kind == Kind::schema && object.name == "public") continue;
            const bool is_part = is_part_of_extra(object);
            add(object, is_part ? "part" : "unexpected", "", definition_(object, found_));
        }
        return std::move(differences_);
    }

private:
    void compare(const Object& planned, const Object& found) {
        // The target's installed version is what an extension gets. A default ACL is its grants.
        if (planned.kind != Kind::extension && planned.kind != Kind::default_acl)
            check_definition(planned, found);
        check(planned, "owner", planned.owner, found.owner);
        check(planned, "grants", all_grants(planned), all_grants(found));
        check(planned, "comment", all_comments(planned), all_comments(found));
    }

    // Made by the server for a partition: of an index or key that only the target has, or for a partition
    // that only the target has.
    bool is_part_of_extra(const Object& part) const {
        const Object* host = found_.find(part.relation);
        const Object* table = host == nullptr ? nullptr : planned_.find(model::natural_key(*host));
        for (const Object* whole : wholes(part, found_)) {
            const Object* planned = planned_.find(model::natural_key(*whole));
            if (planned != nullptr && (planned->extra || (table != nullptr && table->extra))) return true;
            if (planned == nullptr && is_part_of_extra(*whole)) return true;
        }
        return false;
    }

    // The source's index of a partition, which one of the target's own on the partitioned table has adopted.
    bool is_adopted(const Object& planned, const Object& found) const {
        if (planned.extra) return false;
        for (const Object* whole : wholes(found, found_)) {
            const Object* made = planned_.find(model::natural_key(*whole));
            if (made == nullptr ? is_part_of_extra(*whole) : made->extra) return true;
        }
        return false;
    }

    void check_definition(const Object& planned, const Object& found) {
        std::string ours = definition_(planned, planned_), theirs = definition_(found, found_);
        // A primary key that only the target has makes the source's columns NOT NULL.
        if (planned.kind == Kind::table && keyed_.contains({planned.schema, planned.name}) &&
            same_definition(without_not_null(ours), without_not_null(theirs)))
            return;
        if (is_adopted(planned, found)) theirs = without_attach(theirs);
        if (!same_definition(ours, theirs)) add(planned, "definition", std::move(ours), std::move(theirs));
    }

    static std::string without_not_null(std::string text) {
        constexpr std::string_view words = " NOT NULL";
        for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at))
            text.erase(at, words.size());
        return text;
    }

    void check(const Object& object, const char* what, std::string planned, std::string found) {
        if (planned != found) add(object, what, std::move(planned), std::move(found));
    }

    void add(const Object& object, const char* what, std::string planned, std::string found) {
        differences_.push_back({model::display_name(object), what, std::move(planned), std::move(found)});
    }

    const model::Database& planned_;
    const model::Database& found_;
    const Definer& definition_;
    std::set<std::pair<std::string, std::string>> keyed_; // tables with keys of the target's own
    std::vector<Difference> differences_;
};

} // namespace

std::vector<Difference> compare(const model::Database& planned, const model::Database& found,
                                const Definer& definition) {
    return Comparer(planned, found, definition).run();
}

std::vector<Difference> compare(const model::Database& planned, const model::Database& found) {
    return compare(planned, found, definer(found.server_version));
}

} // namespace pgsluice::merge
