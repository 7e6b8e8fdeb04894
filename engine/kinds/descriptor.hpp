// A kind of object, described by one constant row: how to read it from the catalogs and how to write it as
// DDL. One file per kind (kinds/sequence.cpp) exports one Descriptor; kinds/registry.cpp lists them in enum
// order. Only a kind's own file knows its Body. Everything here is pure: catalog/ runs the queries.
//
// Shared by all kinds and emitted once, from header and descriptor flags (kinds/common_ddl.cpp): owner, ACL
// with column ACLs, comment with column comments, DEPENDS ON EXTENSION.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/database.hpp"
#include "model/object.hpp"

namespace pgsluice::kinds {

// --- reading
// -----------------------------------------------------------------------------------------------------

// One output column of a catalog query. A server older than `since` (server_version_num / 10000) gets
// `before`.
struct Column {
    std::string_view name;
    std::string_view expression;
    int since = 0;
    std::string_view before = "null";
};

// One row of an answer; values by column name. Views stay valid while the row is decoded, no longer.
// Throws Error{internal} for a name that the query does not have and Error{source} for a value that does not
// parse: what a server sends is hostile input.
class Row {
public:
    virtual ~Row() = default;
    virtual std::optional<std::string_view> get(std::string_view column) const = 0; // nothing: NULL

    std::string text(std::string_view column) const; // NULL reads as ""
    std::optional<std::string> optional_text(std::string_view column) const;
    bool boolean(std::string_view column) const;        // NULL reads as false
    char letter(std::string_view column) const;         // "char"; NULL or empty reads as '\0'
    std::int64_t number(std::string_view column) const; // NULL reads as 0
    double real(std::string_view column) const;
    // Of the target's catalog (catalog::ReadOptions::is_target) above 2^32 for what a user made, so that a
    // planned database can hold objects of both sides.
    model::Oid oid(std::string_view column) const;
    std::vector<model::Oid> oids(std::string_view column) const;   // oid[]
    std::vector<std::string> texts(std::string_view column) const; // text[]; NULL elements read as ""

protected:
    virtual bool is_target() const { return false; }

private:
    model::Oid parse_oid(std::string_view column, std::string_view text) const;
};

// The server's own number of an object that Row::oid() may have moved: for statements that are sent back to
// it.
model::Oid server_oid(model::Oid oid);

// Where decoded rows go. A query's decode either adds an object or extends one that an earlier query of the
// same kind added (columns of a table).
class Reading {
public:
    explicit Reading(model::Database& database) : database_(database) {}
    model::Object& add(model::Object object); // throws Error{source} when the id is known already
    model::Object* find(model::CatalogId id); // an object added before, of any kind; null: not ours
    model::Database& database() { return database_; }

private:
    model::Database& database_;
    std::map<model::CatalogId, std::size_t> by_id_;
};

// One bulk query: "SELECT <columns> <from>". `from` holds FROM, WHERE and ORDER BY, names every catalog with
// pg_catalog. and every function too (search_path is empty). No parameters: the number of queries never
// depends on the number of objects. Common filters are in kinds/filters.hpp (user schemas, extension
// members).
struct Query {
    std::span<const Column> columns;
    std::string_view from;
    void (*decode)(const Row& row, Reading& into);
    // pg_get_viewdef and its like take ACCESS SHARE locks that live until the end of the transaction:
    // catalog/ runs such a query in batches over `$oids$` (a list of oids from `oids_query`), each in a
    // transaction of its own.
    std::string_view oids_query = {};
    int since = 0; // the whole query exists from this major on
};

// --- writing
// -----------------------------------------------------------------------------------------------------

// What the loop repairs of graph/ decided: read by the DDL writers.
struct Shape {
    std::set<model::CatalogId>
        separate; // defaults and checks that do not go inside CREATE TABLE / CREATE DOMAIN
    std::set<model::CatalogId> dummy; // views created as SELECT NULL::type ... first, replaced later
};

struct Context {
    const model::Database& database; // to look up what an object refers to (a table's checks, defaults)
    const Shape& shape;
    int target_version = 0; // server_version_num of the server that will run the DDL
    // definition(): what only the target has is written like everything else, not as steps of its own.
    bool whole = false;
    // definition(): to be compared with another server's, which may write the same otherwise.
    bool compared = false;
};

// The parts of an object's DDL, each a step of its own in the graph. A kind fills those that it has.
struct Ddl {
    std::string create; // empty: made by something else (an inline default, an identity's index)
    std::string drop;   // "DROP TABLE s.t;" never CASCADE
    std::string dummy;  // views in Shape::dummy: the stand-in; `create` is then CREATE OR REPLACE VIEW
    // Of a shared object: the columns, attributes or labels of Object::extra_elements, which `create` then
    // lacks.
    std::string add_elements;
    std::string attach;     // partitions, partition indexes: ALTER ... ATTACH PARTITION
    std::string owned_by;   // sequences: ALTER SEQUENCE ... OWNED BY
    std::string after_rows; // tables: row security switches; triggers on partitions: enabled state
    std::string
        build_index; // unique and primary keys: CREATE UNIQUE INDEX that `create` then adopts by USING INDEX
    // Checks and foreign keys created NOT VALID: ALTER TABLE ... VALIDATE CONSTRAINT. Tables: NOT NULL of
    // columns that only the target has.
    std::string validate;
    std::string refresh; // populated materialized views
};

// Which columns, attributes or labels of the target's object the shared one takes over.
struct ElementsToTake {
    std::set<std::string> names;
    std::set<std::string> inherited;       // of them: come with a parent's
    std::set<std::string> without_default; // of them: their default is not carried
    // Not the target's object but a planned parent of the shared one, whose columns go down to it.
    bool from_parent = false;
};

struct Descriptor {
    model::Kind kind;
    std::string_view tag; // the SQL noun: "TABLE" in ALTER TABLE ... OWNER, COMMENT ON TABLE, GRANT ON TABLE
    model::Oid class_oid; // pg_class 1259, pg_proc 1255, pg_type 1247, ...
    bool has_owner = false;
    bool has_acl = false;
    char acl_type = '\0'; // acldefault()'s letter: r table, s sequence, n schema, f function, T type, ...
    bool has_comment = true;
    std::span<const Query> queries;
    Ddl (*write)(const model::Object& object, const Context& context);
    // The name after the tag in COMMENT ON / ALTER / GRANT ON: `"s"."f"(integer)`, `"tg" ON "s"."t"`.
    std::string (*address)(const model::Object& object);
    // Edges that pg_depend does not know, beyond rules.md section 10; null when there are none.
    void (*edges)(const model::Object& object, const model::Database& database,
                  std::vector<model::Dependency>& out) = nullptr;
    // Adds elements of `theirs` to a shared object: Object::elements, extra_elements and the body. Returns
    // those that had to lose their NOT NULL. Null where the kind has none.
    std::vector<std::string> (*take_elements)(model::Object& shared, const model::Object& theirs,
                                              const ElementsToTake& take) = nullptr;
};

// kinds/registry.cpp
std::span<const Descriptor* const> all(); // in enum order
const Descriptor& descriptor(model::Kind kind);

// table_columns.cpp: a partition of `parent`, or a child of inheritance.
bool inherits_from(const model::Object& table, const model::Object& parent);

// The whole definition of an object as one text, without owner, ACL and comment, all parts in order: two
// objects are the same when these texts are (drift, verification).
std::string definition(const model::Object& object, const model::Database& database, int target_version);

// kinds/common_ddl.cpp: statements for the parts that every kind shares; empty when there is nothing to do.
std::string owner_ddl(const model::Object& object, std::string_view owner);
std::string comment_ddl(const model::Object& object); // and of columns
// The difference between `from` (what the object has) and `to`, in catalog order, REVOKEs first; column ACLs
// too.
std::vector<std::string> acl_ddl(const model::Object& object, const model::Acl& from, const model::Acl& to,
                                 std::string_view column = {});
std::string extension_ddl(const model::Object& object);
// What a new object's grants and those of its columns need; `only`: of these columns alone.
std::string grants_ddl(const model::Object& object, const std::vector<std::string>* only = nullptr);
// Everything of one object as one text: definition, comments, owner, grants.
std::string whole_ddl(const model::Object& object, const model::Database& database, int target_version);

// Parses pg_catalog.aclitem[] as text: {=r/owner,"odd name"=a*r/owner}. Throws Error{source}.
std::vector<model::Grant> parse_acl(std::string_view array);
// Parses a text[] literal: {a,"b,c",NULL}. Throws Error{source}.
std::vector<std::string> parse_array(std::string_view array);

} // namespace pgsluice::kinds
