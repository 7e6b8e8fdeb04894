// The source's side of a run: one exported snapshot that every lane adopts, the table locks that go with it,
// and the watch that gives way to production (rules.md section 8). Read only from the first statement on.
#pragma once
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "catalog/catalog.hpp"
#include "model/database.hpp"
#include "pq/connection.hpp"
#include "run/context.hpp"

namespace pgsluice::run {

class Source {
public:
    // Connects the leader and the control session, begins REPEATABLE READ READ ONLY and exports the snapshot.
    static Task<Source> open(Context& context);

    pq::Connection& leader() { return leader_; }
    const std::string& snapshot() const { return snapshot_; }

    // Through the leader, within --lock-timeout for each lock it has to wait for; whoever blocks is named.
    Task<model::Database> read_catalog(catalog::ReadOptions options);
    // ACCESS SHARE on every table that will be copied, in oid order, with --lock-timeout; whoever blocks is
    // named. With more relations than half of the server's lock table nothing is locked here and each copy
    // locks its own table (locks_each_table()); the catalog was read without keeping locks then.
    Task<void> lock_tables(const model::Database& database);
    bool locks_each_table() const { return locks_each_table_; }
    // After the locks: a READ COMMITTED statement on the control session compares oid, relfilenode and xmins
    // with what the catalog reading saw. Throws Error{refused} naming the table.
    Task<void> check_unchanged(const model::Database& database);
    // The same for one table, after a lane has locked it (locks_each_table()). On the main loop.
    Task<void> check_unchanged(const model::TableRows& table);

    // Our backends on the source, for the watch. Lanes add theirs.
    void add_backend(int pid) { backends_.insert(pid); }
    // Runs from open() to release(), beside everything else: every second asks who waits for a lock of ours;
    // after --source-yield throws Error{refused} that names the waiter.
    Task<void> watch();
    // Ends the snapshot's transaction and closes both sessions. Idempotent.
    Task<void> release();
    bool released() const { return released_; }
    std::chrono::steady_clock::duration held() const;

private:
    Source(Context& context, pq::Connection leader, pq::Connection control);
    // The control session serves the watch and the steps in turn.
    template <class T>
    Task<T> in_turn(Task<T> work);
    Task<void> compare_lock_table();
    Task<void> explain_lock_failure(std::exception_ptr failure);
    Context* context_;
    pq::Connection leader_, control_;
    std::unique_ptr<asio::steady_timer> pause_; // the watch's; release() ends it
    std::string snapshot_;
    std::set<int> backends_;
    std::uint64_t lock_capacity_ = 0, relations_ = 0;
    bool locks_each_table_ = false, released_ = false, control_taken_ = false;
    std::chrono::steady_clock::time_point began_, ended_;
};

} // namespace pgsluice::run
