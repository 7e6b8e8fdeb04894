// One restorable step: a piece of an object's DDL, or its rows, with what must come before it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/object.hpp"

namespace pgsluice::graph {

// The steps an object can have. A table: create, rows, after_rows, acl; a foreign key: create (NOT VALID),
// validate.
enum class Part : std::uint8_t {
    dummy,          // the stand-in of a view in a cycle
    create,         // definition, then its comment
    add_elements,   // columns, attributes or labels that only the target has
    attach,         // partition to parent, partition index to parent index
    owned_by,       // sequence to column
    rows,           // COPY of one table
    sequence_value, // setval
    build_index,    // the index that a key adopts
    merge,          // the run merges the target's rows: one for the whole graph, no statement
    after_rows,     // row security switches, trigger states
    validate,       // a check or foreign key created NOT VALID
    analyze,        // of one table, once its rows and indexes are there
    rights,         // owner, then ACL and column ACLs
    refresh,        // of a populated materialized view
    // No statement: "all rows of a partitioned table", so that edges stay few. It waits for extras, whether
    // they succeed or not (plan::Plan::finish).
    gate,
};
std::string_view part_name(Part part);

using EntryId = std::uint32_t; // index in Graph::entries

struct Entry {
    Part part = Part::create;
    model::Kind kind = model::Kind::schema;
    model::CatalogId object;
    std::string name; // "index public.orders_at_idx": for people
    std::string sql;  // empty for rows and gates
    // Performing it may call functions of the user's, and nobody knows what those read: after all early DDL.
    bool runs_functions = false;
    // Carries something that only the target has: its failure stops nothing but the extras that need it.
    bool extra = false;
    std::vector<EntryId> needs; // sorted, no duplicates
};

} // namespace pgsluice::graph
