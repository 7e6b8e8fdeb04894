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

} // namespace pgsluice::kinds
