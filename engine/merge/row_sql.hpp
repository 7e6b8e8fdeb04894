// The SQL of a merge of rows (rules.md section 3). Pure text: run/row_merge sends it.
//
// Each table has, beside the one that it is merged into (the base, which holds the source's rows):
//   raw_N   the target's rows as they came, columns that may not fit as text
//   bad_N   values of raw_N that are none here, by the column's place; 0: the row is none of this table
//   rows_N  the same rows typed, on their way: references re-pointed, keys new, and our own columns:
//     state: u undecided, s the source has this entity, t equal to another row of the target, d duplicate, a
//     to be added, x rejected, g deleted in prod; l<r> the row of the parent's rows_N that reference r leads
//     to; d<r> whether that reference holds its last value; o<k> what column k held on the target.
//   was_N   what the last run recorded of the source's keys
//   kept_N  old and new key of the rows that were added; of an extra without a key where they are
//   gone_N  for late changes of extras: which rows go
// Of an extra rows_N holds the rows that move, state a, k once they are in the table, or x.
// Equality is that of the column's type and collation: arrays of one element compare by the type's own
// operator, whatever search_path says, and NULL equals NULL.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "merge/row_plan.hpp"

namespace pgsluice::merge {

// What the database in which the rows are merged says of a table at this moment.
struct TableNow {
    struct Key { // of a valid unique or exclusion index
        std::string name, predicate;
        std::vector<std::string> expressions, operators, collations; // by position; collation may be empty
        bool nulls_equal = false;
        std::vector<std::string> columns; // empty: expressions or a predicate
        std::vector<std::string> needs;   // that it reads at all
        bool whole_row = false;           // it reads the row as one value, too
    };
    struct Sequence {
        std::string column, sequence; // quoted and qualified
        std::string target_value;     // last value on the target; empty: none
        bool integer = true;
    };
    std::vector<std::string> columns;                           // all, by their numbers
    std::map<std::string, std::string> defaults;                // column -> expression that makes a value
    std::vector<std::pair<std::string, std::string>> generated; // column, expression
    std::set<std::string> not_null, no_equality;
    std::vector<Key> keys;
    struct Check {
        std::string name, expression;
        std::vector<std::string> needs;
        bool whole_row = false;
        std::string why; // of a row that breaks it; empty: as for a check
    };
    std::vector<Check> checks; // that a partition takes it is one, too
    std::vector<Sequence> sequences;
};

using Statements = std::vector<std::string>;

// Where the statements run: in the new database that holds the source's rows, or in a session of the target,
// to count what would become of its rows: everything of ours is temporary there, the source's keys too.
enum class MergePlace { new_database, preview };

class RowSql {
public:
    RowSql(const RowPlan& plan, std::vector<TableNow> now, std::string run_id,
           MergePlace place = MergePlace::new_database);

    // --- staging
    std::string raw(std::size_t i) const { return name("raw", i); }
    std::string rows(std::size_t i) const { return name("rows", i); }
    std::string was(std::size_t i) const { return name("was", i); }
    std::string real(std::size_t i) const;
    // The source's rows alone: what was added before is left out.
    std::string base(std::size_t i) const;
    Statements create(std::size_t i) const;
    Statements create_common() const; // what all tables share
    Statements drop(std::size_t i) const;
    // preview: the columns of the source's rows that the rounds ask for, and where they go; the target's
    // rows.
    std::vector<std::string> source_columns(std::size_t i) const;
    std::string source_rows(std::size_t i) const { return name("source", i); }
    Statements fill_raw(std::size_t i) const;
    std::string copy_in(std::size_t i) const;
    std::string raw_mark(std::size_t i) const; // the same while raw_N holds the same rows
    // What the target is asked: all rows; of a referenced table those that anything leads to.
    std::string copy_out(std::size_t i) const;
    std::string find_bad_rows(std::size_t i) const; // "" when every text fits
    Statements fill(std::size_t i) const;
    Statements links() const;

    // --- keys of the source's rows: pgsluice.key
    Statements record_keys(std::size_t i) const;
    Statements mark_deleted(std::size_t i) const;

    // --- one round; each statement's row count says whether anything changed
    Statements round(std::size_t i) const;
    std::string waits(std::size_t i) const; // whether a round may change anything of this table
    // Rows that wait for each other: row_sql_cycles.cpp. In this order; the second is repeated until it adds
    // nothing, drop_unmet() after each of the next until it drops nothing.
    std::string waits_in_cycle(std::size_t i) const;
    Statements forget_pairs() const;
    Statements pair_candidates(std::size_t i) const;
    Statements spread_pairs(std::size_t i) const;
    Statements find_needs(std::size_t i) const;
    std::string prefer_same_key() const;
    Statements drop_doubtful() const;
    std::string drop_taken(std::size_t i) const;
    std::string drop_unmet() const;
    std::string settle_pairs(std::size_t i) const;
    std::string settle_recorded(std::size_t i) const; // where the pairs have settled nothing
    std::string force_waiting(std::size_t i) const;   // rows whose duplicates cannot be told in a cycle
    Statements force_all(std::size_t i) const;        // rows whose keys are in a cycle

    // --- the end: rejects what cannot be there; repeated until nothing changes
    Statements compute_generated(std::size_t i) const;
    Statements check(std::size_t i) const;
    // Expressions of the user's that are computed for each row: one may fail for some of them.
    enum class Moment {
        generating, // generated columns
        matching,   // keys by which the source's rows are known
        checking,   // checks, and keys that are there
    };
    struct Probe {
        std::string expression, why;
    };
    std::vector<Probe> probes(std::size_t i, Moment moment) const;
    Statements number_rows(std::size_t i) const; // before the first of these
    std::string undecided(std::size_t i) const;  // `first`, `last`: their numbers; NULL: none
    std::string compute(std::size_t i, const Probe& probe, std::int64_t first, std::int64_t last) const;
    std::string reject_one(std::size_t i, const std::string& why, std::int64_t one) const;
    Statements apply(std::size_t i) const;
    std::string shrinks(std::size_t i) const; // whether apply() takes a row away that was merged before
    Statements set_sequences(std::size_t i) const;
    Statements record_rejected(std::size_t i) const;
    std::string counts(std::size_t i) const;
    std::string reasons(std::size_t i) const;

    // --- extras: row_sql_extras.cpp, row_sql_extras_end.cpp. Parents first; where they refer to each other
    // in circles the first two are repeated until extra_mark() stays the same.
    Statements stage_extra(std::size_t i) const; // the rows that are about to move
    Statements move_extra(std::size_t i) const;  // there, or NULL, or rejected
    bool extras_in_cycles() const;
    std::string extra_mark(std::size_t i) const;
    Statements replace_extra(std::size_t i) const; // in the table, after check() and record_rejected()
    // Late: raw_N gets the rows that changed on the target, gone_N the keys of those that were deleted; then
    // rows_N holds what is to be moved anew. `changed`: a table without a key comes as a whole.
    std::string gone(std::size_t i) const { return name("gone", i); }
    Statements begin_late_extra(std::size_t i) const;
    Statements take_late_extra(std::size_t i, bool changed) const;
    std::string count_with_rejected(std::size_t i) const;

    std::size_t index_of(const TableName& table) const;
    bool staged(std::size_t i) const; // has raw_N and rows_N from the start: preserved and referenced tables
    const RowPlan& plan() const { return plan_; }

private:
    bool preview() const { return place_ == MergePlace::preview; }
    std::string name(const char* prefix, std::size_t i) const;
    std::string ours(const char* table) const; // hit, key, pair, need
    const char* create_table() const {
        return preview() ? "create temporary table" : "create unlogged table";
    }
    std::string final_rows(std::size_t i) const;
    std::string new_value(std::size_t i, const std::string& column) const;
    std::string old_column(std::size_t i, const std::string& column) const; // "pgsluice o<k>"
    std::vector<std::string> traced(std::size_t i) const;                   // have an old_column
    std::vector<std::string> parent_columns(std::size_t i) const;           // anything refers to
    std::vector<std::size_t> references_of(std::size_t i) const;            // out of it, to staged tables
    std::string done(std::size_t i, const std::vector<std::string>& columns, const std::string& alias) const;
    std::string settled(std::size_t i, const std::string& column, const std::string& alias) const;
    std::string all_done(std::size_t i, const std::string& alias) const;
    std::vector<std::size_t> references_with(std::size_t i, const std::string& column) const;
    bool of_target_only(std::size_t r) const; // a reference of columns that only the target has
    std::string ready(std::size_t i, const std::string& alias) const;
    std::string equal(std::size_t i, const std::string& a, const std::string& b,
                      const std::vector<std::string>& columns) const;
    std::string linked(std::size_t r, const std::string& child, const std::string& parent,
                       bool old_child) const;
    std::string holds_any(const std::string& alias, const std::vector<std::string>& columns) const;
    std::vector<std::string> new_key_tests(std::size_t i, const TableNow::Key& key) const;
    std::string typed(const MergeColumn& column, const std::string& alias) const;
    std::string old_type(std::size_t i, const std::string& column) const; // of an old_column
    bool needed(std::size_t i, const MergeColumn& column) const;
    bool takes_default_key(std::size_t i, const MergeColumn& column) const;
    bool excused(std::size_t i, const MergeColumn& column) const;
    std::string instead(std::size_t i, const MergeColumn& column) const;
    std::string fitting(std::size_t i, std::size_t k) const;
    Statements reject_bad(std::size_t i) const;
    std::string bad_rows(std::size_t i) const;
    std::string key_text(const std::string& alias, const std::vector<std::string>& columns) const;
    bool in_a_key(std::size_t i, const std::vector<std::string>& columns) const;
    Statements resolve(std::size_t i) const;
    Statements match(std::size_t i, const std::vector<std::vector<std::string>>& keys,
                     const std::vector<ExpressionKey>& expression_keys, const std::string& which) const;
    std::string match_expressions(std::size_t i, const ExpressionKey& key, const std::string& which) const;
    bool by_whole_row(std::size_t i) const; // a table without any key
    std::string recognize(std::size_t i) const;
    std::string match_rest(std::size_t i, const std::string& which) const;
    std::vector<std::string> own_columns(std::size_t i) const;
    std::string set_nowhere(std::size_t i, const LooseReference& loose, const std::string& why,
                            const std::string& where) const;
    Statements lead_nowhere(std::size_t i) const;
    Statements check_loose(std::size_t i) const;
    // What pgsluice.key holds of a row beside its primary key; over the bare names of its columns.
    struct Recorded {
        std::vector<std::string> names;
        std::string value, applies;
        bool makes_known = false; // a row with both is the source's, where its natural keys do not tell
    };
    std::vector<Recorded> recorded(std::size_t i) const;
    std::string primary_text(std::size_t i, const Recorded& key) const;
    bool is_number_beside(std::size_t i, const std::vector<std::string>& key) const;
    std::string changes_key(std::size_t i) const;
    std::string natural_words(std::size_t i) const;
    std::string nulled_rows(std::size_t i) const;
    std::string advance(std::size_t i, const TableNow::Sequence& sequence,
                        const std::string& condition) const;
    std::string out_of_numbers(std::size_t i, const TableNow::Sequence& sequence,
                               const std::string& wants) const;
    Statements renumber(std::size_t i) const;
    std::string test_of(const MergeColumn& column, const std::string& value) const;
    Statements decide(std::size_t i) const;
    // A key of columns, as far as it can be in a cycle.
    struct CycleKey {
        std::vector<std::string> columns;
        std::string predicate;
        bool not_null = false;               // it holds only for rows without NULL in it
        std::vector<std::string> names;      // columns that refer to nothing
        std::vector<std::size_t> references; // whose rows have to agree
    };
    std::vector<CycleKey> cycle_keys(std::size_t i) const;
    std::vector<std::string> cycle_columns(std::size_t i) const; // of the source's rows
    std::vector<std::string> all_else(std::size_t i, const CycleKey& key) const;
    std::string awaited(std::size_t i) const;
    std::string same_key(std::size_t i) const;
    std::string open(std::size_t r, const CycleKey& key) const;
    std::string source_leads(std::size_t r, const std::string& child, const std::string& parent) const;
    std::string may_agree(std::size_t i, const CycleKey& key) const;
    Statements conflicts(std::size_t i) const;
    std::vector<std::string> inserted(std::size_t i) const;
    std::string stage_extra_where(std::size_t i, const std::string& where) const;
    Statements record_rejected_extra(std::size_t i) const;
    bool rests(std::size_t r) const;
    std::vector<std::size_t> moving_references(std::size_t i) const;
    std::vector<std::string> moving_columns(std::size_t i) const;
    std::string leads(std::size_t r, const std::string& child, bool old_child) const;
    std::string key_changed(std::size_t r, const std::string& parent) const;
    std::string taken(std::size_t r, const std::string& child, bool old_child) const;
    std::string astray(std::size_t r, const std::string& child, bool old_child) const;
    std::string not_settled(std::size_t i) const;

    const RowPlan& plan_;
    std::vector<TableNow> now_;
    std::string run_id_;
    MergePlace place_;
};

} // namespace pgsluice::merge
