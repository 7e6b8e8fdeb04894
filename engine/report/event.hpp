// What happens in a run, as values. Workers emit events; printing is the observer's business (cli/).
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"

namespace pgsluice::report {

using Duration = std::chrono::steady_clock::duration;

struct RunStarted {
    std::string run_id, command, source, target;
}; // displays, no secrets
struct StepStarted {
    std::string text;
}; // "reading both catalogs"
struct PlanMade {
    std::uint64_t tasks = 0;
    std::uint64_t weight = 0; // of all tasks, as their costs say: the progress bar's length
    int lanes = 0;
    std::uint64_t bytes_to_copy = 0;
};
struct TaskStarted {
    std::uint32_t task = 0;
    int lane = 0;
    std::string kind, label;
    std::uint64_t bytes = 0;  // estimate of what it moves or reads
    std::uint64_t weight = 0; // of PlanMade's
};
struct BytesMoved {
    std::uint32_t task = 0;
    int lane = 0;
    std::uint64_t bytes = 0, rows = 0;
}; // so far, this task
struct TaskFinished {
    std::uint32_t task = 0;
    int lane = 0;
    std::string kind, label;
    bool succeeded = true;
    std::uint64_t bytes = 0, rows = 0;
    Duration took{};
};
struct SourceReleased {
    Duration held{};
}; // the snapshot and its locks are gone
struct Remarked {
    std::string object, text, hint, sql;
}; // something of preprod's was not carried as it was (exit 3 with --strict)
struct Noted {
    std::string object, text;
}; // everything else worth a line
struct Swapped {
    std::string previous;
    Duration away{};
}; // seconds without service
struct RefreshReport;
struct RunFinished {
    bool succeeded = false;
    std::string text;
    Duration took{};
    const RefreshReport* report =
        nullptr; // whole, of a failed run too; lives during the call. Null: not a refresh
};

using Event = std::variant<RunStarted, StepStarted, PlanMade, TaskStarted, BytesMoved, TaskFinished,
                           SourceReleased, Remarked, Noted, Swapped, RunFinished>;

// Called on the run's main loop only, one event at a time, never after the run's function has returned. Must
// not block and must not throw.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on(const Event& event) = 0;
};

} // namespace pgsluice::report
