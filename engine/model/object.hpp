// What a database holds, as values: objects with a common header and a body that only the object's kind
// can read (kinds/<kind>.cpp). Selection, graph, merge, plan and report read headers and never bodies.
// Plain data; nothing here waits, throws or talks to a server.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::model {

// Wider than the server's: objects of the target get oids above 2^32 (kinds::Reading), so that a planned
// database can hold objects of both sides.
using Oid = std::uint64_t;

// pg_depend's address of an object: the catalog it lives in and its row there. Sub-object numbers (columns)
// are left out: an edge to a column is an edge to its table.
struct CatalogId {
    Oid class_oid = 0;
    Oid oid = 0;
    auto operator<=>(const CatalogId&) const = default;
};

// One line per kind of object, in the order in which unrelated objects are created. kinds/registry.cpp has
// one descriptor per line. A partition is a table with a parent; a serial's or identity's sequence is a
// sequence.
enum class Kind : std::uint8_t {
    schema,
    extension,
    collation,
    enum_type,
    domain,
    composite_type,
    range_type,
    function, // also window functions
    procedure,
    aggregate,
    sequence,
    table, // plain, partitioned, partition
    view,
    materialized_view,
    column_default, // of tables and views; generated columns are part of the table
    check,          // of tables and of domains
    constraint,     // primary key, unique, exclusion
    index,          // those that no constraint owns
    statistics,     // extended statistics
    rule,
    trigger,
    foreign_key,
    policy,
    default_acl,
    count_
};
constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::count_);

// "table", "foreign key": for people.
std::string_view kind_name(Kind kind);

// What columns are made of, and where: types, collations, extensions, schemas.
bool is_namespace_or_type(Kind kind);

// One item of an aclitem[]: who may what, by whom.
struct Grant {
    std::string grantee; // empty: PUBLIC
    std::string grantor;
    std::string privileges;  // catalog letters in catalog order, without grant options: "arwd"
    std::string with_option; // the subset that is WITH GRANT OPTION
    bool operator==(const Grant&) const = default;
};

// An object's ACL. `base` is what the object would have with a NULL acl column (acldefault, or pg_init_privs
// for a member of an extension), so that DDL is the difference between the two. Both in catalog order:
// grant-option chains depend on it. Equal when nobody has granted or revoked anything.
struct Acl {
    std::vector<Grant> base;
    std::vector<Grant> current;
    bool operator==(const Acl&) const = default;
};

// What a kind knows beyond the header. Immutable once decoded, so plans and lanes may share it.
struct Body {
    virtual ~Body() = default;
};

struct Object {
    Kind kind = Kind::schema;
    CatalogId id;
    std::string schema;    // empty for schemas, extensions, global default ACLs
    std::string name;      // trigger, rule, policy, constraint, column default (the column): the short name
    std::string table;     // those of a table, view or domain: its name (in `schema`); else empty
    std::string arguments; // functions, procedures, aggregates: identity arguments, types schema-qualified
    std::string owner;     // empty where the kind has none
    std::optional<std::string> comment;
    Acl acl;
    std::map<std::string, Acl> column_acls;             // column name -> ACL; tables, views
    std::map<std::string, std::string> column_comments; // column name -> comment; tables, views, composites
    std::vector<std::string> depends_on_extensions;     // ALTER ... DEPENDS ON EXTENSION
    // Facts that other rooms may read without knowing the kind: an extension's "schema" and "version", what
    // of a routine takes a "superuser".
    std::map<std::string, std::string> details;
    std::vector<std::string> elements;       // names in order: columns of a relation, labels of an enum
    std::set<std::string> computed_elements; // columns that take no default: identities, generated ones
    std::vector<std::string> roles;          // whom a policy is for; empty: everybody
    // Of a planned database: only the target has it, and it is carried (rules.md section 1).
    bool extra = false;
    // Of a planned database, a shared object: those of `elements` that only the target has.
    std::vector<std::string> extra_elements;
    // The same of comments: the columns whose comment only the target has; "" is the object itself.
    std::set<std::string> extra_comments;
    // 0 none; the relation whose locks DDL on this object takes: the table itself, an index's or trigger's
    // table.
    CatalogId relation;
    std::shared_ptr<const Body> body;
};

// Objects of both sides are matched by this, never by oid.
struct NaturalKey {
    Kind kind;
    std::string schema, table, name, arguments;
    auto operator<=>(const NaturalKey&) const = default;
};
NaturalKey natural_key(const Object& object);

// "table public.orders", "trigger audit on public.orders": one line, for logs and plans (not SQL).
std::string display_name(const Object& object);

} // namespace pgsluice::model
