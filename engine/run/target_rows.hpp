// The target's side of a merge: one session in the target that reads the rows of extras and preserved tables
// in one snapshot, remembers what it saw, and just before the swap locks those tables and tells what has
// changed since (rules.md section 4). It is the last session on the target to end. Main loop only.
#pragma once
#include <cstdint>
#include <exception>
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
    bool partitioned = false;         // its partitions' rows are its own; else ONLY its own are meant
    bool only_locked = false;         // not remembered: whoever asked for it reads it again under the lock
};

class TargetRows {
public:
    // REPEATABLE READ with an exported snapshot. The session may write, but only into its own temporary
    // tables.
    static Task<TargetRows> open(Context& context);

    pq::Connection& session() { return session_; }
    const std::string& snapshot() const { return snapshot_; } // lanes adopt it to copy extras' rows
    int server_process() const { return server_process_; }    // as pg_stat_activity knows it

    // Keys and hashes of all rows as the snapshot shows them, in temporary tables; of a table without a key
    // one sum. Once per table, before end_snapshot(). Needs TEMPORARY on the database. Tables that are only
    // to be locked are left out where the role may not lock them.
    Task<void> remember(std::vector<WatchedTable> tables);
    const std::vector<WatchedTable>& remembered() const { return watched_; }
    // The rows have been read: ends the snapshot's transaction, so that it holds back no vacuum. Idempotent.
    Task<void> end_snapshot();

    // SHARE locks on all remembered tables, with --lock-timeout and retries; whoever blocks is named. From
    // here to the session's end nobody's writing to them can be lost. Short attempts come first: shorter than
    // the server's deadlock_timeout, so that no client's transaction becomes the victim of ours.
    Task<void> lock();

    struct Changes {
        bool whole = false; // the table has no key, and something in it changed: all of it counts as changed
        std::uint64_t changed = 0, deleted = 0; // rows: new or different ones; gone ones
        bool any() const { return whole || changed > 0 || deleted > 0; }
    };
    Task<Changes> find_changes(const WatchedTable& table); // after lock(), once per table
    // Queries for COPY (...) TO STDOUT in this session, text format, after find_changes(): the changed rows
    // (of a table without a key all rows), all columns in the order of WatchedTable::columns; the keys of the
    // deleted ones in the order of WatchedTable::key. A key that changed is a deleted one and a changed row,
    // also where a collation takes both keys for equal: delete first.
    std::string changed_rows_sql(const WatchedTable& table) const;
    std::string deleted_keys_sql(const WatchedTable& table) const;

private:
    TargetRows(Context& context, pq::Connection session);
    Task<bool> may_lock(const WatchedTable& table);
    Task<void> remember_one(const WatchedTable& table, std::string as);
    Task<std::exception_ptr> try_lock(std::chrono::milliseconds patience);
    std::string suffix(const WatchedTable& table) const;
    Context* context_;
    pq::Connection session_;
    std::string snapshot_;
    int server_process_ = 0;
    std::vector<WatchedTable> watched_;
    bool snapshot_ended_ = false;
};

} // namespace pgsluice::run
