// One database as read from its catalogs: the objects, who needs whom, sizes, and the database's own
// properties.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/object.hpp"
#include "model/table_facts.hpp"

namespace pgsluice::model {

// `who` cannot exist before `needs`. From pg_depend (deptypes p and e left out), lifted to objects that we
// hold.
struct Dependency {
    CatalogId who, needs;
    // pg_depend.deptype: n normal, a auto, i internal, x automatic on extension. Of a planned database also
    // c: what those columns or attributes of a shared object need that only the target has.
    char type = 'n';
    bool operator==(const Dependency&) const = default;
};

// `who` reads or names a column of `relation`: without that column it cannot be made.
struct ColumnNeed {
    CatalogId who, relation;
    std::string column;
    bool operator==(const ColumnNeed&) const = default;
};

// What one column or attribute of `who` needs, beyond what `who` needs anyway: its type, its collation, a
// function of its generation expression; `column`: one column of it, else empty.
struct ElementNeed {
    CatalogId who;
    std::string element;
    CatalogId needs;
    std::string column;
    bool operator==(const ElementNeed&) const = default;
};

// What COPY and the checks before it need to know of a table that holds rows.
struct TableRows {
    CatalogId table;
    std::string schema, name;
    std::vector<std::string> columns; // in attnum order, generated and dropped ones left out
    std::uint64_t bytes = 0;          // heap and toast, pg_table_size
    double rows = -1;                 // reltuples; -1 unknown
    bool binary_safe = false;         // every column's binary form is the same on any server of this major
    bool unlogged = false;
    bool partition_root_load = false;   // hash partition on an enum: rows must go through the root
    std::string root_schema, root_name; // of a partition_root_load: the topmost partitioned table
    // "WHERE ..." of an extension's configuration table: only these rows are the user's. Such a table is the
    // extension's: there is no object of ours for it.
    std::string condition;
    bool is_configuration = false;
    bool from_target = false; // of a planned database: the table is an extra, its rows come from the target
    // What rules.md section 8 compares before the first row is read.
    std::string relfilenode, class_xmin, attribute_xmins;
};

struct SequenceValue {
    CatalogId sequence;
    std::string last_value;
    bool is_called = false;
};

// pg_database and pg_db_role_setting.
struct DatabaseProperties {
    std::string name, owner, encoding, collate, ctype;
    char locale_provider = 'c'; // c libc, i icu, b builtin
    std::string icu_locale, icu_rules;
    std::optional<std::string> comment;
    Acl acl;
    std::string tablespace;
    int connection_limit = -1;
    std::uint64_t bytes = 0;
    // ALTER DATABASE SET (role empty) and ALTER ROLE IN DATABASE SET: "name=value" as stored.
    struct Setting {
        std::string role, name, value;
        bool operator==(const Setting&) const = default;
    };
    std::vector<Setting> settings;
};

// An object that this version cannot carry: named before anything is written, never skipped in silence.
struct Unsupported {
    std::string kind;  // "operator class", "foreign table"
    std::string name;  // display name
    bool wire = false; // rules.md section 13: reported and left out, never a stop
};

struct Database {
    int server_version = 0; // 150018
    std::string system_identifier;
    DatabaseProperties properties;
    std::vector<Object> objects; // sorted by natural key; no object twice
    std::vector<Dependency> dependencies;
    std::vector<ColumnNeed> column_needs; // from pg_depend, lifted to objects that we hold
    std::vector<ElementNeed> element_needs;
    // Of a planned database: the target's id of a shared object -> the source's. find() and rows_of() follow
    // it.
    std::map<CatalogId, CatalogId> aliases;
    std::vector<TableRows> rows; // every table with storage of its own, in oid order
    // For merging rows; a planned database has the source's.
    std::vector<TableFacts> table_facts;
    std::vector<SequenceValue> sequence_values;
    std::vector<Unsupported> unsupported;
    std::vector<std::string> roles; // names of all roles of the server

    CatalogId resolve(CatalogId id) const; // through `aliases`
    const Object* find(CatalogId id) const;
    const Object* find(const NaturalKey& key) const;
    const TableRows* rows_of(CatalogId table) const;
    // Sorts `objects` and builds the lookups; the catalog reader and tests call it when all objects are in.
    void index();

private:
    std::map<CatalogId, std::size_t> by_id_;
    std::map<NaturalKey, std::size_t> by_key_;
    std::map<CatalogId, std::size_t> rows_by_id_;
};

} // namespace pgsluice::model
