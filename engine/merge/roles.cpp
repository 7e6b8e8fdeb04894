#include <algorithm>

#include "base/text.hpp"
#include "merge/parts.hpp"

namespace pgsluice::merge {

namespace {

using model::Acl;
using model::Grant;

std::string letters_of_both(const std::string& first, const std::string& second) {
    std::string both = first;
    for (const char letter : second)
        if (both.find(letter) == std::string::npos) both += letter;
    return both;
}

void add(std::vector<Grant>& grants, const Grant& grant) {
    const auto same = std::find_if(grants.begin(), grants.end(), [&](const Grant& other) {
        return other.grantee == grant.grantee && other.grantor == grant.grantor;
    });
    if (same == grants.end()) {
        grants.push_back(grant);
        return;
    }
    same->privileges = letters_of_both(same->privileges, grant.privileges);
    same->with_option = letters_of_both(same->with_option, grant.with_option);
}

// Nobody can grant for a role that does not exist or that we may not become.
void choose_grantor(Grant& grant, const std::string& owner, Roles& roles) {
    if (grant.grantor.empty() || grant.grantor == owner) return;
    if (roles.exists(grant.grantor) && roles.may_be(grant.grantor)) return;
    roles.regranted(grant.grantor);
    grant.grantor = owner;
}

std::vector<Grant> translate_grants(const std::vector<Grant>& grants, const std::string& old_owner,
                                    const std::string& owner, Roles& roles) {
    std::vector<Grant> made;
    for (Grant grant : grants) {
        const auto rename = [&](const std::string& role) {
            return role == old_owner ? owner : roles.mapped(role);
        };
        if (!grant.grantee.empty()) {
            const std::string grantee = rename(grant.grantee);
            if (grantee != owner && !roles.exists(grantee)) {
                roles.missing(grant.grantee);
                continue;
            }
            grant.grantee = grantee;
        }
        if (!grant.grantor.empty()) grant.grantor = rename(grant.grantor);
        choose_grantor(grant, owner, roles);
        add(made, grant);
    }
    return made;
}

} // namespace

Roles::Roles(const model::Database& source, const model::Database& target, const Options& options)
    : exists_(target.roles.begin(), target.roles.end()), map_(options.role_map),
      connecting_role_(options.connecting_role), can_set_role_(options.can_set_role) {
    exists_.insert(connecting_role_);
    exists_.insert(target.properties.owner);
    map_.emplace(source.properties.owner, target.properties.owner);
}

std::string Roles::mapped(const std::string& role) const {
    const auto at = map_.find(role);
    return at == map_.end() ? role : at->second;
}

std::string Roles::owner(const std::string& source_owner) const {
    if (source_owner.empty()) return {};
    // The same role on every server, and the owner of schema public.
    if (source_owner == "pg_database_owner" && exists(source_owner)) return source_owner;
    const auto at = map_.find(source_owner);
    return at != map_.end() && exists(at->second) ? at->second : connecting_role_;
}

bool Roles::may_be(const std::string& role) const {
    return !can_set_role_ || role == connecting_role_ || can_set_role_->contains(role);
}

std::vector<std::string> Roles::notes() const {
    std::vector<std::string> notes;
    for (const std::string& role : missing_)
        notes.push_back("role " + one_line(role) +
                        " does not exist on the target: what names it is left out");
    for (const std::string& role : regranted_)
        notes.push_back("what role " + one_line(role) + " granted is granted by the owner");
    return notes;
}

Acl translate(const Acl& acl, const std::string& old_owner, const std::string& owner, Roles& roles) {
    return {.base = translate_grants(acl.base, old_owner, owner, roles),
            .current = translate_grants(acl.current, old_owner, owner, roles)};
}

Acl reissue(const Acl& acl, const std::string& owner, Roles& roles) {
    Acl made;
    made.base = acl.base;
    for (Grant grant : acl.current) {
        choose_grantor(grant, owner, roles);
        add(made.current, grant);
    }
    return made;
}

std::vector<Grant> unite(std::vector<Grant> first, const std::vector<Grant>& second) {
    for (const Grant& grant : second) add(first, grant);
    return first;
}

} // namespace pgsluice::merge
