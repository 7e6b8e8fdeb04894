// What a merge of rows has to know of a table, read in bulk: columns, unique keys, references. The kinds keep
// the same in bodies of their own; these are plain.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::model {

struct ColumnFacts {
    std::string name, type; // format_type, schema-qualified
    std::string domain_of;  // of a domain: the type that it is over, whatever lies between
    const std::string& base_type() const { return domain_of.empty() ? type : domain_of; }
    bool not_null = false;
    bool has_default = false;
    bool from_sequence = false; // serial, identity, or another default that calls nextval()
    bool generated = false;     // GENERATED ALWAYS AS (expression)
};

// A unique index.
struct KeyFacts {
    std::string name;
    std::vector<std::string> columns; // its own, or all that its expressions and its predicate read
    bool primary = false;
    // By position, where it is not just columns: with an expression, of a generated column, or partial.
    std::vector<std::string> expressions;
    std::string predicate;
    bool nulls_equal = false; // NULLS NOT DISTINCT
    bool reads_row = false;   // an expression or the predicate is of the whole row
};

struct ReferenceFacts { // a foreign key of the table
    std::string name, parent_schema, parent_name;
    std::vector<std::string> columns, parent_columns;
};

struct TableFacts {
    std::string schema, name;
    bool is_partition = false, is_partitioned = false;
    std::vector<ColumnFacts> columns;
    std::vector<KeyFacts> keys;
    std::vector<ReferenceFacts> references;

    const ColumnFacts* column(const std::string& wanted) const {
        for (const ColumnFacts& column : columns)
            if (column.name == wanted) return &column;
        return nullptr;
    }
};

} // namespace pgsluice::model
