#include "flow/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.hpp"
#include "flow/join.hpp"
#include "flow/stop.hpp"
#include "flow/watchdog.hpp"

namespace pgsluice::flow {

namespace {

using namespace std::chrono_literals;

constexpr auto poll_pause = 10ms;
constexpr auto drain_limit = 500ms; // for output that is on its way when the process has ended
constexpr int first_inherited = 3;  // stdin, stdout and stderr alone go on

Error cannot_start(const std::string& program, int code) {
    const std::string why = std::generic_category().message(code);
    return Error{ErrorKind::refused, "cannot start the command: " + why}.object("program " +
                                                                                one_line(program));
}

// What posix_spawn needs, freed at the end.
struct SpawnPlan {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    explicit SpawnPlan(int output) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions, first_inherited);
        posix_spawnattr_init(&attributes);
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        // A session of its own: a group to end as a whole, and no terminal on which to ask for a password.
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
};

class Process {
public:
    explicit Process(const ProcessOptions& options) : watchdog_(options.remove_when_killed) {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) throw cannot_start(options.words.front(), errno);
        std::vector<std::string> pairs;
        for (const auto& [name, value] : options.environment) pairs.push_back(name + "=" + value);
        std::vector<char*> argv, envp;
        for (const std::string& word : options.words) argv.push_back(const_cast<char*>(word.c_str()));
        for (const std::string& pair : pairs) envp.push_back(const_cast<char*>(pair.c_str()));
        argv.push_back(nullptr);
        envp.push_back(nullptr);
        const SpawnPlan plan(ends[1]);
        const int failed =
            posix_spawnp(&pid_, argv[0], &plan.actions, &plan.attributes, argv.data(), envp.data());
        close(ends[1]);
        output_ = ends[0];
        if (failed == 0) {
            watchdog_.guard(pid_);
            return;
        }
        pid_ = 0;
        close(output_);
        throw cannot_start(options.words.front(), failed);
    }
    // Nobody waits any more: nothing of it may live on.
    ~Process() {
        if (pid_ == 0) return;
        tell(SIGKILL);
        (void)reap();
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    int take_output() { return std::exchange(output_, -1); }
    // Not reaped yet, so that its group's number stays its own.
    bool ended() const {
        siginfo_t info{};
        return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == pid_;
    }
    void tell(int signal) const { kill(-pid_, signal); }
    int reap() {
        int status = 0;
        watchdog_.guard(0);
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

private:
    Watchdog watchdog_; // the first to be made and the last to go
    pid_t pid_ = 0;
    int output_ = -1;
};

// Cuts bytes into lines.
class Lines {
public:
    explicit Lines(const ProcessOptions& options) : options_(options) {}
    void add(std::string_view bytes) {
        for (const char c : bytes) {
            if (c == '\n')
                end_line();
            else if (line_.size() < options_.line_bytes_max)
                line_ += c;
        }
    }
    void finish() {
        if (!line_.empty()) end_line();
    }

private:
    void end_line() {
        if (options_.line) options_.line(line_);
        line_.clear();
    }
    const ProcessOptions& options_;
    std::string line_;
};

struct Watched {
    Process& process;
    asio::posix::stream_descriptor output;
    Lines lines;
    bool drained = false;
};

Task<void> read_output(Watched& watched) {
    std::array<char, 16384> buffer{};
    for (;;) {
        boost::system::error_code code;
        const std::size_t got = co_await watched.output.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
        watched.lines.add({buffer.data(), got});
        if (code) break; // the end, or the other task has stopped waiting for it
    }
    watched.drained = true;
}

Task<void> await_end(Watched& watched) {
    while (!watched.process.ended()) co_await sleep_for(poll_pause);
    const auto deadline = std::chrono::steady_clock::now() + drain_limit;
    while (!watched.drained && std::chrono::steady_clock::now() < deadline) co_await sleep_for(poll_pause);
    watched.process.tell(SIGKILL); // whoever of its group is left
    // Somebody outside the group may hold the pipe open: not our business.
    if (!watched.drained) watched.output.cancel();
}

Task<void> end_group(Watched& watched, Duration grace) {
    watched.process.tell(SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while (!watched.process.ended() && std::chrono::steady_clock::now() < deadline)
        co_await sleep_for(poll_pause);
    watched.process.tell(SIGKILL);
}

} // namespace

Task<ProcessEnd> run_process(ProcessOptions options) {
    Process process(options);
    const Executor executor = co_await asio::this_coro::executor;
    Watched watched{process, asio::posix::stream_descriptor(executor, process.take_output()), Lines(options)};
    ProcessEnd end;
    std::exception_ptr failure;
    try {
        Task<void> both = join(read_output(watched), await_end(watched));
        end.too_late = !co_await ends_within(std::move(both), options.limit);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure || end.too_late) {
        if (failure) co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_await uninterrupted(end_group(watched, options.grace));
    }
    watched.lines.finish();
    const int status = process.reap();
    if (failure) std::rethrow_exception(failure);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
    co_return end;
}

} // namespace pgsluice::flow
