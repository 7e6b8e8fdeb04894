// Reads PostgreSQL's array and aclitem texts. What the server sent is hostile input: every shape that
// array_out and aclitemout do not make is an Error{source}.
#include "base/error.hpp"
#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

namespace {

Error malformed(std::string_view what) {
    return Error{ErrorKind::source, "the server sent a malformed " + std::string(what)};
}

// One element, from `at` to the comma or brace behind it.
std::string array_element(std::string_view text, std::size_t& at) {
    std::string element;
    if (text[at] != '"') {
        while (at < text.size() && text[at] != ',' && text[at] != '}') {
            if (text[at] == '{' || text[at] == '"') throw malformed("array");
            if (text[at] == '\\' && ++at == text.size()) throw malformed("array");
            element += text[at++];
        }
        if (element.empty()) throw malformed("array");
        return element == "NULL" ? std::string{} : element;
    }
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && ++at == text.size()) break;
        element += text[at];
    }
    if (at >= text.size()) throw malformed("array");
    ++at;
    return element;
}

// A role name as putid() writes it: in double quotes, doubled inside, when it has odd characters.
std::string acl_role(std::string_view item, std::size_t& at, char end) {
    std::string role;
    bool quoted = false;
    for (; at < item.size(); ++at) {
        const char c = item[at];
        if (c == '"') {
            if (quoted && at + 1 < item.size() && item[at + 1] == '"') {
                role += '"';
                ++at;
            } else {
                quoted = !quoted;
            }
        } else if (c == end && !quoted) {
            return role;
        } else {
            role += c;
        }
    }
    if (quoted || end != '\0') throw malformed("aclitem");
    return role;
}

} // namespace

std::vector<std::string> parse_array(std::string_view array) {
    // A dimension prefix as in [0:1]={...}: arrays that do not start at 1.
    if (array.starts_with('[')) {
        const std::size_t equals = array.find('=');
        if (equals == std::string_view::npos) throw malformed("array");
        array.remove_prefix(equals + 1);
    }
    if (array.size() < 2 || array.front() != '{' || array.back() != '}') throw malformed("array");
    std::vector<std::string> elements;
    if (array == "{}") return elements;
    for (std::size_t at = 1;; ++at) {
        if (at >= array.size()) throw malformed("array");
        elements.push_back(array_element(array, at));
        if (at >= array.size()) throw malformed("array");
        if (array[at] == ',') continue;
        if (array[at] != '}' || at + 1 != array.size()) throw malformed("array");
        return elements;
    }
}

std::vector<model::Grant> parse_acl(std::string_view array) {
    std::vector<model::Grant> grants;
    for (const std::string& item : parse_array(array)) {
        model::Grant grant;
        std::size_t at = 0;
        grant.grantee = acl_role(item, at, '=');
        for (++at; at < item.size() && item[at] != '/'; ++at) {
            const char c = item[at];
            const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (c == '*' && !grant.privileges.empty())
                grant.with_option += grant.privileges.back();
            else if (is_letter)
                grant.privileges += c;
            else
                throw malformed("aclitem");
        }
        if (at >= item.size()) throw malformed("aclitem");
        ++at;
        grant.grantor = acl_role(item, at, '\0');
        grants.push_back(std::move(grant));
    }
    return grants;
}

} // namespace pgsluice::kinds
