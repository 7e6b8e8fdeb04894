// Adds up the events of a run: what an observer shows, and what is left of a run that failed. A value; no
// clock.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "base/error.hpp"
#include "report/event.hpp"
#include "report/report.hpp"

namespace pgsluice::report {

// What a lane does now.
struct LaneNow {
    std::uint32_t task = 0;
    std::string kind, label;
    std::uint64_t bytes = 0, bytes_estimated = 0, rows = 0, weight = 0;
};

struct Totals {
    std::string run_id, command, source, target;
    std::string step; // the last StepStarted
    std::uint64_t tasks = 0, tasks_finished = 0, tasks_failed = 0;
    std::uint64_t weight_planned = 0;                    // of all tasks: the bar's whole length
    std::uint64_t weight_passed = 0;                     // of it, that of finished tasks
    std::uint64_t bytes_finished = 0, rows_finished = 0; // what finished copies have moved
    std::uint64_t remarks = 0, notes = 0;
    int lanes = 0;
    bool planned = false;
    std::map<int, LaneNow> running; // by lane

    void add(const Event& event);

    std::uint64_t bytes_moved() const; // by finished and running copies
    std::uint64_t rows_moved() const;
    // 0 to 1. An estimate may be wrong: a running task counts at most as its estimate, so this never runs
    // backwards.
    double fraction() const;

private:
    std::map<std::uint32_t, std::uint64_t> weights_; // of running tasks
};

// "copy public.orders", also where the label does not name what is done.
std::string task_name(const std::string& kind, const std::string& label);

// The report of a run that ends in an error and so returns none: its own, where RunFinished brought it, else
// what the events told.
class ReportCollector {
public:
    void add(const Event& event);
    RefreshReport failed(const Error& error, WallTime started, WallTime finished) const;

private:
    RefreshReport report_;
    bool whole_ = false; // the run's own report has come with RunFinished
};

// One line for the end of a run that succeeded.
std::string summary(const RefreshReport& report);

} // namespace pgsluice::report
