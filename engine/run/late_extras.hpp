// Rows of extras' tables that changed on the target while the run was on, put into the new database (rules.md
// section 4): a table without a key is emptied and filled again; of one with a key the deleted rows go, the
// changed ones change in place, the new ones come. Main loop only.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "merge/row_plan.hpp"
#include "run/context.hpp"
#include "run/target_rows.hpp"

namespace pgsluice::run {

class LateExtras {
public:
    // `tables` are remembered by `target`; those that the new database lacks (they are pending) are left out.
    // `inside` is a session in the new database; all outlive this.
    LateExtras(TargetRows& target, pq::Connection& inside, std::vector<WatchedTable> tables)
        : target_(&target), inside_(&inside), tables_(std::move(tables)) {}

    // After TargetRows::lock(): changed rows and deleted keys into unlogged tables of schema pgsluice.
    Task<void> stage();
    std::vector<merge::TableName> changed() const;   // what apply() will touch
    std::vector<merge::TableName> shrinking() const; // of these, those that lose rows
    // Where the changed rows of a table wait, columns as in the table: for whoever moves references in them
    // before apply(); "" when there are none.
    std::string staged_rows(const merge::TableName& table) const;

    // Inside a QuietTables transaction over changed(). `replace`: changed rows are deleted and come again,
    // for unique values that went from one row to another; foreign keys that act on it must be aside then.
    // Throws Error{verification} when a row is not there afterwards.
    Task<void> apply(bool replace);
    std::uint64_t rows() const; // changed and deleted ones
    Task<void> finish();        // drops what stage() made

private:
    struct Late {
        WatchedTable table;
        TargetRows::Changes changes;
        std::string rows, keys; // staging tables, quoted; empty: none
        std::string same_key;   // t and s agree on the key
    };
    Task<void> stage_rows(Late& late, std::size_t number);
    Task<void> stage_keys(Late& late, std::size_t number);
    Task<void> remove(const Late& late, bool replace);
    Task<void> put(const Late& late, bool replace);
    Task<void> check(const Late& late);

    TargetRows* target_;
    pq::Connection* inside_;
    std::vector<WatchedTable> tables_;
    std::vector<Late> late_;
};

// Rows of one session's query into another's table, both in text format; the number of rows.
Task<std::uint64_t> copy_across(pq::Connection& from, std::string query, pq::Connection& to,
                                std::string into);

} // namespace pgsluice::run
