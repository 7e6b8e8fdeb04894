// What the files of this room share.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "merge/merge.hpp"

namespace pgsluice::merge {

// Schema pgsluice is ours and never copied.
bool takes_part(const model::Object& object);

// Texts for the server that runs the DDL: `server_version`.
Definer definer(int server_version);

// The index or key of the partitioned table that this one is a part of.
std::vector<const model::Object*> wholes(const model::Object& part, const model::Database& database);
// The definition of a partition's index without its place below the partitioned table's.
std::string without_attach(const std::string& definition);

// Roles of the source as they are called on the target. Collects what is left out, once per role.
class Roles {
public:
    Roles(const model::Database& source, const model::Database& target, const Options& options);

    bool exists(const std::string& role) const { return exists_.contains(role); }
    // The name on the target; the role may not exist there.
    std::string mapped(const std::string& role) const;
    // The owner of a new object.
    std::string owner(const std::string& source_owner) const;
    // May act as this role: grant for it.
    bool may_be(const std::string& role) const;
    void missing(const std::string& role) { missing_.insert(role); }
    void regranted(const std::string& role) { regranted_.insert(role); }
    std::vector<std::string> notes() const;

private:
    std::set<std::string> exists_;
    std::map<std::string, std::string> map_;
    std::string connecting_role_;
    std::optional<std::set<std::string>> can_set_role_;
    std::set<std::string> missing_, regranted_;
};

// The source's ACL for an object that `owner` has on the target: the old owner's place is the new one's,
// others are mapped, roles that the target lacks are left out.
model::Acl translate(const model::Acl& acl, const std::string& old_owner, const std::string& owner,
                     Roles& roles);
// What the target's own ACL becomes: grants that only another role could issue are the owner's.
model::Acl reissue(const model::Acl& acl, const std::string& owner, Roles& roles);
// Grants of either; an entry of both holds the privileges of both.
std::vector<model::Grant> unite(std::vector<model::Grant> first, const std::vector<model::Grant>& second);

} // namespace pgsluice::merge
