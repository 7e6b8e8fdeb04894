// The target's side of a merge: one session in the target that reads the rows of extras and preserved tables
// in one snapshot, remembers what it saw, and just before the swap locks those tables and tells what has
// changed since (rules.md section 4). It is the last session on the target to end. Main loop only.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

// A table that is read early and again late.
struct WatchedTable {
    std::string schema, name;
    std::vector<std::string> columns; // those that are copied, in order
    std::vector<std::string> key;     // a unique key of NOT NULL columns; empty: it has none
};

class TargetRows {
public:
    // REPEATABLE READ with an exported snapshot. The session may write, but only into its own temporary
    // tables.
    static Task<TargetRows> open(Context& context);

    pq::Connection& session() { return session_; }
    const std::string& snapshot() const { return snapshot_; } // lanes adopt it to copy extras' rows

    // Keys and hashes of all rows as the snapshot shows them, in temporary tables. Once per table.
    Task<void> remember(std::vector<WatchedTable> tables);
    // The rows have been read: ends the snapshot's transaction, so that it holds back no vacuum. Idempotent.
    Task<void> end_snapshot();

    // SHARE locks on all remembered tables, with --lock-timeout and retries; whoever blocks is named. From
    // here to the session's end nobody's writing to them can be lost.
    Task<void> lock();

    struct Changes {
        bool whole = false;                     // the table has no key: all of it counts as changed
        std::uint64_t changed = 0, deleted = 0; // rows: new or different ones; gone ones
        bool any() const { return whole || changed > 0 || deleted > 0; }
    };
    Task<Changes> find_changes(const WatchedTable& table); // after lock()
    // Queries for COPY (...) TO STDOUT in this session, after find_changes(): the changed rows, all columns;
    // the keys of the deleted ones.
    std::string changed_rows_sql(const WatchedTable& table) const;
    std::string deleted_keys_sql(const WatchedTable& table) const;

private:
    TargetRows(Context& context, pq::Connection session);
    Context* context_;
    pq::Connection session_;
    std::string snapshot_;
    std::vector<WatchedTable> watched_;
    bool snapshot_ended_ = false;
};

// A text that differs when anything of the target's schema differs: every object's definition, owner, grants,
// comment. Compared at the start and under the locks.
Task<std::string> target_fingerprint(pq::Connection& session);

} // namespace pgsluice::run
