// The migration tools whose history tables are recognised, by name and by columns (rules.md section 2): one
// row of facts per tool, and a guess by columns for tables that --migrations names. Pure; run/migrations.cpp
// makes the query.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::merge {

// How a tool tells one version from another.
enum class VersionForm {
    text,     // as it stands
    integer,  // 0012 is 12
    numbered, // Flyway's: 1.02, 1_2 and 1.2.0 are one version
};

// In the expressions @column stands for that column, quoted; an empty one is NULL or its natural default.
struct MigrationTool {
    std::string name;
    std::vector<std::string_view> tables; // names it gives its table
    struct Column {
        std::string_view name;
        char type = '*'; // t text, i integer, b boolean, * any
    };
    std::vector<Column> columns;          // that the table must have
    std::vector<std::string_view> absent; // that another tool's table of this name has
    std::string version, description, checksum;
    std::string success = "true", repeatable = "false";
    std::string undone = "false";      // takes back the versions like it that come before
    std::string baseline = "false";    // stands for itself and all lower versions
    std::string where = "true", order; // which rows count, and in which order they were applied
    VersionForm form = VersionForm::text;
    bool head_only = false;           // only the last version is kept
    bool checksum_has_prefix = false; // "9:..." is comparable only to "9:..."
    std::string rank;                 // an integer column that numbers the entries; empty: none
};

const std::vector<MigrationTool>& migration_tools();

// What the server says of a table that may be a history. Types without modifiers.
struct TableShape {
    std::string schema, name;
    struct Column {
        std::string name, type;
    };
    std::vector<Column> columns;
};

struct HistoryTable {
    std::string schema, name;
    MigrationTool tool;
    // A column as the tool writes it -> as this table has it (Liquibase can be told to quote upper-case
    // names).
    std::string column(std::string_view name) const;
    std::vector<std::string> columns; // all, as they stand
    std::string display() const { return schema + "." + name; }
};

// By a tool's name and columns; `named`: --migrations says that it is one, so that any name will do, and for
// unknown columns the best match.
std::optional<HistoryTable> recognise_history(const TableShape& table, bool named);

// The same text for versions that the tool takes for one; and their order: below, equal, above zero.
std::string canonical_version(VersionForm form, const std::string& version);
int compare_canonical(const std::string& left, const std::string& right);

} // namespace pgsluice::merge
