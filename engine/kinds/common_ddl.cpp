// What every kind shares and each is written once: owner, comments, DEPENDS ON EXTENSION. ACLs: acl_ddl.cpp.
#include <algorithm>

#include "kinds/descriptor.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

// A fresh database's `public` has a comment of its own: it is the default there, and its absence a change.
constexpr std::string_view public_schema_comment = "standard public schema";

std::optional<std::string> comment_to_set(const model::Object& object) {
    if (object.kind != model::Kind::schema || object.name != "public") return object.comment;
    if (!object.comment) return std::string{};
    if (*object.comment == public_schema_comment) return std::nullopt;
    return object.comment;
}

} // namespace

std::string owner_ddl(const model::Object& object, std::string_view owner) {
    const Descriptor& kind = descriptor(object.kind);
    if (!kind.has_owner || owner.empty()) return {};
    // The table's owner is the owner of the sequences that it owns; the server refuses to change these alone.
    if (object.details.contains("owned_by")) return {};
    return "ALTER " + std::string(kind.tag) + " " + kind.address(object) + " OWNER TO " +
           pq::quote_identifier(owner) + ";";
}

std::string comment_ddl(const model::Object& object) {
    const Descriptor& kind = descriptor(object.kind);
    std::string ddl;
    const std::optional<std::string> comment = kind.has_comment ? comment_to_set(object) : std::nullopt;
    // CREATE EXTENSION makes the package's own comment.
    if (object.kind == model::Kind::extension && !object.comment)
        return "COMMENT ON EXTENSION " + kind.address(object) + " IS NULL;";
    if (comment) {
        ddl = "COMMENT ON " + std::string(kind.tag) + " " + kind.address(object) + " IS " +
              pq::quote_literal(*comment) + ";";
    }
    if (const auto of_index = object.details.find("index_comment"); of_index != object.details.end()) {
        if (!ddl.empty()) ddl += "\n";
        ddl += "COMMENT ON INDEX " + pq::quote_qualified(object.schema, object.name) + " IS " +
               pq::quote_literal(of_index->second) + ";";
    }
    for (const auto& [column, text] : object.column_comments) {
        if (!ddl.empty()) ddl += "\n";
        ddl += "COMMENT ON COLUMN " + pq::quote_qualified(object.schema, object.name) + "." +
               pq::quote_identifier(column) + " IS " + pq::quote_literal(text) + ";";
    }
    return ddl;
}

std::string grants_ddl(const model::Object& object, const std::vector<std::string>* only) {
    std::string text;
    const auto add = [&](const std::vector<std::string>& statements) {
        for (const std::string& statement : statements) text += (text.empty() ? "" : "\n") + statement;
    };
    // A new object's ACL is its base; a new column has none.
    model::Acl made = object.acl;
    made.current = made.base;
    if (only == nullptr) add(acl_ddl(object, made, object.acl));
    for (const auto& [column, acl] : object.column_acls)
        if (only == nullptr || std::find(only->begin(), only->end(), column) != only->end())
            add(acl_ddl(object, {}, acl, column));
    return text;
}

std::string whole_ddl(const model::Object& object, const model::Database& database, int target_version) {
    const Descriptor& kind = descriptor(object.kind);
    Shape shape;
    shape.separate.insert(object.id); // a default or a check alone, not as part of its table
    const Context context{
        .database = database, .shape = shape, .target_version = target_version, .whole = true};
    const Ddl ddl = kind.write(object, context);
    std::string text;
    for (const std::string& part :
         {ddl.build_index, ddl.create, ddl.attach, ddl.owned_by, ddl.after_rows, ddl.validate, ddl.refresh,
          kind.has_comment ? comment_ddl(object) : std::string(), extension_ddl(object),
          kind.has_owner ? owner_ddl(object, object.owner) : std::string(),
          kind.has_acl ? grants_ddl(object) : std::string()}) {
        if (part.empty()) continue;
        if (!text.empty()) text += "\n";
        text += part;
    }
    return text;
}

std::string extension_ddl(const model::Object& object) {
    const Descriptor& kind = descriptor(object.kind);
    std::string ddl;
    for (const std::string& extension : object.depends_on_extensions) {
        if (!ddl.empty()) ddl += "\n";
        ddl += "ALTER " + std::string(kind.tag) + " " + kind.address(object) + " DEPENDS ON EXTENSION " +
               pq::quote_identifier(extension) + ";";
    }
    return ddl;
}

} // namespace pgsluice::kinds
