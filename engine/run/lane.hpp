// One lane: a source session, a target session and a pipe on one event loop, performing one task at a time.
// All functions run on the lane's loop; results go back to the main loop as values.
#pragma once
#include <chrono>
#include <cstdint>
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

namespace pgsluice::run {

using flow::Task;

// What all lanes read and none changes.
struct LaneShared {
    pq::Conninfo source, target; // the target's with the new database
    pq::SessionOptions source_session, target_session;
    std::string snapshot;
    bool locks_each_table = false;
    std::chrono::milliseconds lock_timeout{};
    bool checksums = false; // --verify=checksum
    int source_version = 0, target_version = 0;
    std::uint64_t maintenance_kib = 0; // per index build; 0: leave the server's own
    const model::Database* planned = nullptr;
    const graph::Graph* graph = nullptr;
    flow::Executor helpers;
    rows::Budget* budget = nullptr;
};

struct TaskResult {
    std::uint64_t rows = 0, bytes = 0;
    rows::Format format = rows::Format::text;
    std::string checksum; // empty unless asked for
    std::chrono::steady_clock::duration checksum_took{};
    std::vector<report::Remarked> remarks; // rights that could not be given
    std::vector<report::Noted> notes;
};

using Progress = std::function<void(std::uint64_t bytes, std::uint64_t rows)>;

class Lane {
public:
    Lane(int index, flow::Executor loop) : index_(index), loop_(std::move(loop)) {}

    Task<void> open(const LaneShared& shared);
    Task<TaskResult> perform(const LaneShared& shared, const plan::Task& task, Progress progress);
    Task<void> close_source(); // when the last row has been read
    Task<void> close();

    int index() const { return index_; }
    const flow::Executor& loop() const { return loop_; }
    int source_pid() const { return source_pid_; }
    std::uint64_t source_queries() const { return source_queries_; }
    std::uint64_t target_queries() const { return target_queries_; }

private:
    Task<TaskResult> copy(const LaneShared& shared, const plan::Task& task, Progress progress);
    Task<void> compare_counts(const LaneShared& shared, const model::TableRows& table,
                              const rows::CopyResult& copied, TaskResult& result);
    Task<TaskResult> statements(const LaneShared& shared, const plan::Task& task);
    Task<void> one_by_one(const LaneShared& shared, const plan::Task& task, TaskResult& result);
    Task<void> replace_large(const LaneShared& shared, TaskResult& result);

    int index_;
    flow::Executor loop_;
    std::optional<pq::Connection> source_, target_;
    int source_pid_ = 0;
    std::uint64_t source_queries_ = 0, target_queries_ = 0;
};

} // namespace pgsluice::run
