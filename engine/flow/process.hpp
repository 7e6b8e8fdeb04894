// Another program, run to its end: its output as lines, its whole process group ended when it takes too long
// or when we are stopped. Reads nothing from us (stdin is /dev/null) and has no terminal.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "flow/deadline.hpp"
#include "flow/task.hpp"

namespace pgsluice::flow {

struct ProcessOptions {
    std::vector<std::string> words;                 // the first is looked for in PATH
    std::map<std::string, std::string> environment; // all that it gets
    Duration limit{};                               // zero: none
    Duration grace = std::chrono::seconds(1);       // from SIGTERM to SIGKILL
    std::size_t line_bytes_max = 2000;              // what a line has more is left out
    std::string remove_when_killed;                 // a file that must not outlive us
    std::function<void(std::string)> line;          // of stdout and stderr, any bytes but the newline
};

struct ProcessEnd {
    int code = 0;          // exit code, where no signal ended it
    int signal = 0;        // that ended it
    bool too_late = false; // by the limit; then it was killed
};

// Throws Error{refused} when it cannot be started. Cancelled or late, it returns when the process is gone.
// Children that it leaves behind in its group are killed when it has ended, all of them when we are killed.
Task<ProcessEnd> run_process(ProcessOptions options);

} // namespace pgsluice::flow
