// ACLs as GRANT and REVOKE statements. Shared by the objects' own ACLs and by default ACLs.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/object.hpp"

namespace pgsluice::kinds {

// How one privilege statement is worded around its privileges: GRANT SELECT ("a") ON TABLE t TO r.
struct AclWording {
    std::string before; // "ALTER DEFAULT PRIVILEGES FOR ROLE r " or nothing
    std::string column; // quoted column, or nothing
    std::string on;     // "TABLE "s"."t"", "TABLES"
    std::string
        owner; // a grantor other than this one is taken on by SET ROLE; nothing: grantors do not matter
};

// "SELECT, UPDATE" for "rw"; with a column: `SELECT ("a"), UPDATE ("a")`. Throws Error{source} for an unknown
// letter.
std::string privilege_list(std::string_view letters, std::string_view quoted_column = {});

// Statements that turn `from` into `to`: REVOKEs first and from the end, since what was granted on grows from
// front to back; then the owner's own grants; then the others in catalog order.
std::vector<std::string> acl_statements(const AclWording& wording, const std::vector<model::Grant>& from,
                                        const std::vector<model::Grant>& to);

} // namespace pgsluice::kinds
