// One transaction in which rows can be put into tables that clients use already: their triggers, rules and
// row security rest, their foreign keys, those that lead to them too, wait for its end, identity columns take
// the values that they are given (rules.md section 3). At the end the foreign keys are checked and each state
// is put back as it was. Works for the tables' owner.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "flow/task.hpp"
#include "merge/row_plan.hpp"
#include "pq/connection.hpp"

namespace pgsluice::run {

using flow::Task;

struct ForeignKeyName {
    merge::TableName table; // the referencing one; of a partitioned table the root
    std::string name;
    auto operator<=>(const ForeignKeyName&) const = default;
};

class QuietTables {
public:
    // BEGIN and all switches; of partitioned tables their partitions', too. `aside`: foreign keys that are
    // dropped and made again NOT VALID at the end, as rows will break them or their actions must not fire;
    // one of a partitioned table is made again valid: rows that break it are an error.
    static Task<QuietTables> begin(pq::Connection& session, std::vector<merge::TableName> tables,
                                   std::set<ForeignKeyName> aside = {});
    // BEGIN, and row security alone rests: nothing else of the tables is written.
    static Task<QuietTables> begin_reading(pq::Connection& session, std::vector<merge::TableName> tables);
    // Of further tables that are only read.
    Task<void> lift_row_security(std::vector<merge::TableName> tables);
    // Checks the foreign keys, puts all back, COMMIT. A row that breaks one: Error{target} 23503 whose
    // object names table and constraint; then rollback() is all that is left.
    Task<void> commit();
    Task<void> rollback();
    // Of `aside`, those that were valid before: for VALIDATE CONSTRAINT after commit().
    const std::set<ForeignKeyName>& to_validate() const { return to_validate_; }

    // Foreign keys that lead to one of `tables` and delete or change rows of theirs at once, which no
    // deferring helps against: ON DELETE or ON UPDATE CASCADE, SET NULL, SET DEFAULT, RESTRICT.
    static Task<std::set<ForeignKeyName>> acting_on(pq::Connection& session,
                                                    std::vector<merge::TableName> tables);
    // Which foreign key the server meant when commit() or a statement failed with 23503; nothing: another.
    static Task<std::set<ForeignKeyName>> broken(pq::Connection& session, const Error& error,
                                                 std::vector<merge::TableName> tables);

private:
    explicit QuietTables(pq::Connection& session) : session_(&session) {}
    Task<void> read_row_security(std::string names);
    Task<void> read_identities(std::string names);
    Task<void> read_triggers_and_rules(std::string names);
    Task<void> read_foreign_keys(std::string foreign_keys, const std::set<ForeignKeyName>& aside);
    Task<void> refuse_awake_triggers(std::string names);

    pq::Connection* session_;
    std::vector<std::string> off_, on_; // statements
    std::set<ForeignKeyName> to_validate_;
};

} // namespace pgsluice::run
