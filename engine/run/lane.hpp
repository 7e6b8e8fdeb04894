// One lane: a source session, a session in the new database and a pipe on one event loop, performing one task
// at a time; where rows of the target's extras are copied, a session in the target too. All functions run on
// the lane's loop; results go back to the main loop as values.
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "plan/task.hpp"
#include "pq/connection.hpp"
#include "report/event.hpp"
#include "rows/budget.hpp"
#include "rows/copy.hpp"
#include "run/siblings.hpp"

namespace pgsluice::run {

using flow::Task;

// What all lanes read and none changes.
struct LaneShared {
    pq::Conninfo source, target; // the target's with the new database
    pq::SessionOptions source_session, target_session;
    pq::Conninfo old_target;               // where the rows of extras come from
    std::string snapshot, target_snapshot; // of the source; of the target
    // Set: each copy locks its own table, and asks this whether it is still what the catalog reading saw.
    std::function<Task<void>(const model::TableRows& locked)> refuse_changed;
    bool rows_of_target = false; // are copied, too
    std::chrono::milliseconds lock_timeout{};
    bool checksums = false;            // --verify=checksum
    std::uint64_t maintenance_kib = 0; // per index build; 0: leave the server's own
    const model::Database* planned = nullptr;
    const graph::Graph* graph = nullptr;
    flow::Executor helpers;
    rows::Budget* budget = nullptr;
    Siblings* siblings = nullptr;
};

struct TaskResult {
    std::uint64_t rows = 0, bytes = 0;
    rows::Format format = rows::Format::text;
    std::string checksum; // empty unless asked for; the last one of siblings has that of all
    std::chrono::steady_clock::duration checksum_took{};
    std::vector<report::Remarked> remarks; // rights that could not be given
    std::vector<report::Noted> notes;
};

using Progress = std::function<void(std::uint64_t bytes, std::uint64_t rows)>;

class Lane {
public:
    Lane(int index, flow::Executor loop) : index_(index), loop_(std::move(loop)) {}

    Task<void> open(const LaneShared& shared); // without a snapshot of the source: no session there
    Task<TaskResult> perform(const LaneShared& shared, const plan::Task& task, Progress progress);
    // After a failure that is not the run's: ends what is open, replaces what broke.
    Task<void> recover(const LaneShared& shared);
    Task<void> close_source(); // when the last row has been read
    Task<void> close();

    int index() const { return index_; }
    const flow::Executor& loop() const { return loop_; }
    int source_pid() const { return source_pid_; }
    std::uint64_t source_queries() const { return source_queries_; }
    std::uint64_t target_queries() const { return target_queries_; }

private:
    Task<void> copy(const LaneShared& shared, const plan::Task& task, Progress progress, TaskResult& result);
    Task<void> open_source(const LaneShared& shared);
    Task<void> open_target(const LaneShared& shared);
    Task<void> open_old_target(const LaneShared& shared);
    // The session that reads the table's rows, inside a transaction on its snapshot.
    Task<pq::Connection*> begin_reading(const LaneShared& shared, const model::TableRows& table);
    Task<void> compare_content(const LaneShared& shared, pq::Connection& from, const Siblings::Together& what,
                               TaskResult& result);
    Task<void> statements(const LaneShared& shared, const plan::Task& task, TaskResult& result);
    Task<void> one_by_one(const LaneShared& shared, const plan::Task& task, TaskResult& result);
    struct Refused {
        std::string text, sqlstate; // empty: nothing was refused
        std::exception_ptr failure; // empty: only by a warning
    };
    // In a savepoint, which is undone where the server refuses.
    Task<Refused> try_entry(const LaneShared& shared, const graph::Entry& entry, std::string sql);
    Task<void> replace_large(const LaneShared& shared, bool before_copy, TaskResult& result);

    int index_;
    flow::Executor loop_;
    std::optional<pq::Connection> source_, target_, old_target_; // target_: in the new database
    int source_pid_ = 0;
    bool refused_ = false; // a fresh session in place of one through which a large row passed
    std::uint64_t source_queries_ = 0, target_queries_ = 0;
};

} // namespace pgsluice::run
