// Runs programs for tests: output in full, exit code, peak memory, a time limit. A child never outlives
// the test process.
#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::tests {

struct ProgramOptions {
    std::vector<std::pair<std::string, std::string>> env; // added to ours; PGSLUICE_* of ours is left out
    std::string input;                                    // its whole standard input
    std::chrono::milliseconds timeout = std::chrono::minutes(2); // then it is killed
    bool own_group = false; // a process group of its own, as a shell gives
};

struct ProgramResult {
    int exit_code = -1; // -1: ended by a signal
    int signal = 0;
    bool timed_out = false;
    std::string out, err;
    long peak_rss_kib = 0;
    double cpu_seconds = 0;
    double seconds = 0;

    bool ok() const { return exit_code == 0; }
    // Everything a failing test wants to show: INFO(result.text()).
    std::string text() const;
};

// A program that runs beside the test. It dies with the thread that started it: start and wait in one thread.
class Program {
public:
    explicit Program(std::vector<std::string> args, ProgramOptions options = {});
    ~Program(); // kills it
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    int pid() const { return pid_; }
    bool running(); // false once it has ended
    // Once it has a handler of its own for the signal: before, any program dies of it, and has done nothing.
    void wait_until_it_handles(int signal);
    void send(int signal) const; // to the process, or to its group with own_group
    std::string out() const;     // what it has written so far
    std::string err() const;
    ProgramResult wait(); // until it ends or the time limit is over

private:
    bool reap(bool block);

    std::vector<std::string> args_;
    ProgramOptions options_;
    int pid_ = -1;
    int in_ = -1, out_ = -1, err_ = -1;
    bool ended_ = false;
    std::chrono::steady_clock::time_point started_;
    ProgramResult result_;
};

ProgramResult run_program(std::vector<std::string> args, ProgramOptions options = {});

// The built binary: pgsluice({"refresh", "--source", ...}).
ProgramResult pgsluice(std::vector<std::string> args, ProgramOptions options = {});
std::vector<std::string> pgsluice_command(std::vector<std::string> args); // for Program

// run_program, but a failure is an exception with all output: for what must work for the test to make sense.
std::string output_of(std::vector<std::string> args, ProgramOptions options = {});

} // namespace pgsluice::tests
