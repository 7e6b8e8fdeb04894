#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "kinds/acl.hpp"
#include "kinds/descriptor.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

using model::Grant;

constexpr std::array<std::pair<char, std::string_view>, 15> privilege_names = {{{'a', "INSERT"},
                                                                                {'r', "SELECT"},
                                                                                {'w', "UPDATE"},
                                                                                {'d', "DELETE"},
                                                                                {'D', "TRUNCATE"},
                                                                                {'x', "REFERENCES"},
                                                                                {'t', "TRIGGER"},
                                                                                {'X', "EXECUTE"},
                                                                                {'U', "USAGE"},
                                                                                {'C', "CREATE"},
                                                                                {'T', "TEMPORARY"},
                                                                                {'c', "CONNECT"},
                                                                                {'s', "SET"},
                                                                                {'A', "ALTER SYSTEM"},
                                                                                {'m', "MAINTAIN"}}};

std::string without(std::string_view letters, std::string_view removed) {
    std::string left;
    for (const char c : letters)
        if (removed.find(c) == std::string_view::npos) left += c;
    return left;
}

const Grant& entry_of(const std::vector<Grant>& grants, const Grant& like) {
    static const Grant none;
    const auto at = std::find_if(grants.begin(), grants.end(), [&](const Grant& grant) {
        return grant.grantee == like.grantee && grant.grantor == like.grantor;
    });
    return at == grants.end() ? none : *at;
}

std::string as_grantor(const AclWording& wording, const Grant& grant, const std::string& statement) {
    if (wording.owner.empty() || grant.grantor.empty() || grant.grantor == wording.owner) return statement;
    return "SET ROLE " + pq::quote_identifier(grant.grantor) + "; " + statement + " RESET ROLE;";
}

void add_revokes(const AclWording& wording, const Grant& had, const Grant& wanted,
                 std::vector<std::string>& out) {
    const auto revoke = [&](std::string_view what, const std::string& letters) {
        if (letters.empty()) return;
        out.push_back(as_grantor(wording, had,
                                 wording.before + "REVOKE " + std::string(what) +
                                     privilege_list(letters, wording.column) + " ON " + wording.on +
                                     " FROM " + pq::quote_role(had.grantee) + ";"));
    };
    const std::string gone = without(had.privileges, wanted.privileges);
    revoke("", gone);
    revoke("GRANT OPTION FOR ", without(without(had.with_option, wanted.with_option), gone));
}

void add_grants(const AclWording& wording, const Grant& had, const Grant& wanted,
                std::vector<std::string>& out) {
    const auto grant = [&](const std::string& letters, std::string_view option) {
        if (letters.empty()) return;
        out.push_back(as_grantor(wording, wanted,
                                 wording.before + "GRANT " + privilege_list(letters, wording.column) +
                                     " ON " + wording.on + " TO " + pq::quote_role(wanted.grantee) +
                                     std::string(option) + ";"));
    };
    grant(without(without(wanted.privileges, wanted.with_option), had.privileges), "");
    grant(without(wanted.with_option, had.with_option), " WITH GRANT OPTION");
}

std::string grant_noun(const model::Object& object) {
    switch (descriptor(object.kind).acl_type) {
    case 'r': return "TABLE";
    case 's': return "SEQUENCE";
    case 'n': return "SCHEMA";
    case 'T': return "TYPE";
    case 'f': return object.kind == model::Kind::procedure ? "PROCEDURE" : "FUNCTION";
    default: throw Error{ErrorKind::internal, "this kind has no ACL"}.object(model::display_name(object));
    }
}

// GRANT ON FUNCTION knows no ORDER BY of ordered-set aggregates: it wants the plain types.
std::string grant_address(const model::Object& object) {
    if (object.kind != model::Kind::aggregate) return descriptor(object.kind).address(object);
    return pq::quote_qualified(object.schema, object.name) + "(" + object.arguments + ")";
}

} // namespace

std::string privilege_list(std::string_view letters, std::string_view quoted_column) {
    std::vector<std::string> names;
    for (const char letter : letters) {
        const auto at = std::find_if(privilege_names.begin(), privilege_names.end(),
                                     [&](const auto& known) { return known.first == letter; });
        if (at == privilege_names.end())
            throw Error{ErrorKind::source,
                        std::string("the server sent an unknown privilege \"") + letter + "\""};
        std::string name(at->second);
        if (!quoted_column.empty()) name += " (" + std::string(quoted_column) + ")";
        names.push_back(std::move(name));
    }
    return join(names, ", ");
}

std::vector<std::string> acl_statements(const AclWording& wording, const std::vector<Grant>& from,
                                        const std::vector<Grant>& to) {
    std::vector<std::string> statements;
    for (auto had = from.rbegin(); had != from.rend(); ++had)
        add_revokes(wording, *had, entry_of(to, *had), statements);
    const auto is_owners_own = [&](const Grant& grant) {
        return grant.grantee == wording.owner && grant.grantor == wording.owner;
    };
    for (const Grant& wanted : to)
        if (is_owners_own(wanted)) add_grants(wording, entry_of(from, wanted), wanted, statements);
    for (const Grant& wanted : to)
        if (!is_owners_own(wanted)) add_grants(wording, entry_of(from, wanted), wanted, statements);
    return statements;
}

std::vector<std::string> acl_ddl(const model::Object& object, const model::Acl& from, const model::Acl& to,
                                 std::string_view column) {
    if (from.current == to.current) return {};
    AclWording wording;
    wording.on = grant_noun(object) + " " + grant_address(object);
    wording.owner = object.owner;
    if (!column.empty()) wording.column = pq::quote_identifier(column);
    return acl_statements(wording, from.current, to.current);
}

} // namespace pgsluice::kinds
