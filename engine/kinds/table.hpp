// A table's body; only table.cpp (reads it) and table_ddl.cpp (writes it) know it.
#pragma once
#include "kinds/relation.hpp"

namespace pgsluice::kinds {

struct TableBody : RelationBody {
    bool unlogged = false;
    std::string of_type;         // CREATE TABLE ... OF
    std::string partition_key;   // "RANGE (at)"; empty: not partitioned
    std::string partition_bound; // "FOR VALUES ...", "DEFAULT"; empty: no partition
    struct Parent {
        std::string schema, name;
    };
    std::vector<Parent> parents; // in the order of INHERITS; a partition has one
    char replica_identity = 'd'; // d default, n nothing, f full, i index (the index writes it)
    bool row_security = false, force_row_security = false;
};

Ddl write_table(const model::Object& object, const Context& context);

// table_columns.cpp: columns that only the target has.
std::vector<std::string> take_columns(model::Object& shared, const model::Object& theirs,
                                      const ElementsToTake& take);
bool is_added(const model::Object& table, const RelationColumn& column);
// ALTER TABLE ... ADD COLUMN for each of them that the table does not inherit. `clause`: name, type, default.
std::string add_columns(const model::Object& table, const Context& context,
                        std::string (*clause)(const model::Object&, const RelationColumn&, const Context&));
// Their NOT NULL, which the source's rows may break: after these.
std::string added_not_nulls(const model::Object& table);

} // namespace pgsluice::kinds
