// Which rows of the target are merged into which tables, by which keys, and which references follow (rules.md
// section 3). Pure: from both catalogs and the options; the SQL is made of it in merge/row_sql.cpp, run in
// run/row_merge.
#pragma once
#include <string>
#include <vector>

#include "merge/merge.hpp"

namespace pgsluice::merge {

struct TableName {
    std::string schema, name;
    auto operator<=>(const TableName&) const = default;
};

struct RowOptions {
    std::vector<std::string> preserve;   // TABLE[=col,...]
    std::vector<std::string> references; // child.col=parent.col
    bool keep_deleted = false;
    std::vector<TableName> histories; // of migrations: they follow the schema
    bool source_is_right = false;     // a preserved table that the source lacks is no reason to refuse
};

struct Reference {
    TableName child, parent;
    std::vector<std::string> child_columns, parent_columns;
    bool declared = true; // false: --reference
    // Those of child_columns that become NULL where the reference leads nowhere; empty: it cannot.
    std::vector<std::string> null_columns;
};

// A foreign key of only one side, whose parent the other side lacks: there is no row to follow.
struct LooseReference {
    std::vector<std::string> columns;
    TableName parent;
    std::vector<std::string> parent_columns; // in the source; empty: the source has no such table
    std::vector<std::string> null_columns;   // as in Reference
    bool by_text = false;                    // columns and parent's columns are of different types
};

struct MergeColumn {
    std::string name;
    std::string type;  // in the planned database
    std::string there; // on the target
    // The two are of different kinds (bigint, uuid): a key there may be none here, and is kept as a text.
    bool apart = false;
    // The target's text may be no value of `type`: another type there, or one whose labels or checks may
    // differ.
    bool may_not_fit = false;
    bool not_null = false;
    bool from_sequence = false;
    bool extra = false; // the source lacks it
    // Of an enum, or an array of one, in the planned database: the target's may have more.
    std::vector<std::string> labels;
    // What stands for `type` on the target, where its rows are only counted; empty: the type itself.
    std::string stand_in;
};

// A unique index that is more than columns: rows agree on it where its predicate holds of both and none of
// its expressions is NULL, unless NULL equals NULL there.
struct ExpressionKey {
    std::vector<std::string> reads;       // columns
    std::vector<std::string> expressions; // SQL over the bare names of columns
    std::string predicate;                // empty: all rows
    bool nulls_equal = false;
};

struct MergeTable {
    enum class Role {
        preserved,  // its rows are merged into the source's
        extra,      // its rows are copied as they are; references in them follow
        referenced, // shared: only its keys are read, to tell whether a key means the same entity on both
                    // sides
    };
    Role role = Role::preserved;
    TableName name;
    bool partitioned = false;
    std::vector<MergeColumn> columns; // that both sides will have and that are no generated ones, in order
    std::vector<std::string> missing_columns; // that only the source has
    std::vector<std::string> primary_key;     // may be empty
    bool generated_key = false;               // from a sequence or an identity: means nothing by itself
    std::vector<std::vector<std::string>> natural_keys; // two rows that agree on one are one entity
    std::vector<ExpressionKey> expression_keys;
    // The primary key is no natural key here, being generated, or a number beside a key that says more. Only
    // a row that the last run recorded as the source's is known by it.
    bool known_if_recorded = false;
    // Rows that agree on these are one, whatever their keys: set where no natural key tells more than a
    // surrogate does.
    std::vector<std::string> duplicates_by;
    // False: the target tells its rows apart by columns that the source lacks, so that two rows are not one
    // because they agree in duplicates_by.
    bool rest_tells = true;
    std::vector<LooseReference> loose_references; // of a preserved table
    // A unique key of NOT NULL columns by which one row is told from all others of the table; may be empty.
    std::vector<std::string> row_key;

    const MergeColumn* column(const std::string& wanted) const;
};

struct RowPlan {
    std::vector<MergeTable>
        tables; // a referenced table before those that refer to it, as far as cycles allow
    std::vector<Reference> references;
    std::vector<std::string> notes;
    bool keep_deleted = false;
    bool empty() const { return tables.empty(); }
    const MergeTable* table(const TableName& name) const;
};

// `planned` is what will be there (extras marked); throws Error{refused} for a table or column that does not
// exist, with a hint. Also with no --preserve: extras refer to shared tables.
RowPlan plan_rows(const model::Database& planned, const model::Database& target, const RowOptions& options);

} // namespace pgsluice::merge
