#include "support/program.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace pgsluice::tests {
namespace {

// Files in memory instead of pipes: a child that prints much never waits for a test that reads late.
int memory_file(const char* name) {
    const int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0) throw std::runtime_error{"memfd_create failed"};
    return file;
}

void write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0) throw std::runtime_error{"cannot write a program's input"};
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    ::lseek(file, 0, SEEK_SET);
}

std::string read_all(int file) {
    std::string text;
    char part[65536];
    off_t at = 0;
    for (ssize_t got = 0; (got = ::pread(file, part, sizeof part, at)) > 0; at += got)
        text.append(part, static_cast<std::size_t>(got));
    return text;
}

std::vector<std::string> environment(const ProgramOptions& options) {
    std::vector<std::string> result;
    for (char** line = environ; *line != nullptr; ++line) {
        const std::string_view text = *line;
        const std::string_view name = text.substr(0, text.find('='));
        const bool replaced = std::any_of(options.env.begin(), options.env.end(),
                                          [&](const auto& added) { return added.first == name; });
        // What the developer's shell says about servers must not reach the program under test.
        const bool ours = name == "PGBIN" || name == "PGSLUICE_TMP"; // which server, and where
        const bool misleading = name.starts_with("PG") && !ours;
        if (!replaced && !misleading) result.emplace_back(text);
    }
    for (const auto& [name, value] : options.env) result.push_back(name + "=" + value);
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

} // namespace

std::string ProgramResult::text() const {
    std::string shown = timed_out ? "killed after its time limit" : "exit " + std::to_string(exit_code);
    if (signal != 0) shown += ", signal " + std::to_string(signal);
    return shown + "\n--- stdout\n" + out + "\n--- stderr\n" + err;
}

Program::Program(std::vector<std::string> args, ProgramOptions options)
    : args_(std::move(args)), options_(std::move(options)), started_(std::chrono::steady_clock::now()) {
    in_ = memory_file("stdin");
    out_ = memory_file("stdout");
    err_ = memory_file("stderr");
    write_all(in_, options_.input);
    // All memory is prepared before the fork: a test process may have threads.
    std::vector<std::string> environment_lines = environment(options_);
    const std::vector<char*> argv = pointers(args_);
    const std::vector<char*> envp = pointers(environment_lines);
    const pid_t parent = ::getpid();
    // A signal that comes between fork and exec must not run the test framework's handler in the child.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_ = ::fork();
    if (pid_ != 0) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) throw std::runtime_error{"fork failed"};
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(126);
        if (options_.own_group) ::setpgid(0, 0);
        ::dup2(in_, 0);
        ::dup2(out_, 1);
        ::dup2(err_, 2);
        ::close_range(3, ~0U, 0);
        for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execvpe(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    if (options_.own_group) ::setpgid(pid_, pid_);
}

Program::~Program() {
    if (!ended_) {
        send(SIGKILL);
        reap(true);
    }
    for (const int file : {in_, out_, err_}) ::close(file);
}

bool Program::reap(bool block) {
    if (ended_) return true;
    int status = 0;
    rusage usage{};
    pid_t got = -1;
    do got = ::wait4(pid_, &status, block ? 0 : WNOHANG, &usage);
    while (got < 0 && errno == EINTR);
    if (got == 0) return false;
    ended_ = true;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    result_.seconds = took.count();
    result_.peak_rss_kib = usage.ru_maxrss;
    result_.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                          static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
    return true;
}

bool Program::running() { return !reap(false); }

void Program::wait_until_it_handles(int signal) {
    const std::string path = "/proc/" + std::to_string(pid_) + "/status";
    const auto has = [&](std::string_view name) {
        std::ifstream status{path};
        for (std::string line; std::getline(status, line);)
            if (line.starts_with(name))
                return (std::stoull(line.substr(name.size()), nullptr, 16) >> (signal - 1) & 1) != 0;
        return false;
    };
    // Between fork and exec the child has our handlers, but blocks everything.
    while (running() && (has("SigBlk:") || !has("SigCgt:")))
        std::this_thread::sleep_for(std::chrono::microseconds(200));
}

void Program::send(int signal) const {
    if (!ended_) ::kill(options_.own_group ? -pid_ : pid_, signal);
}

std::string Program::out() const { return read_all(out_); }
std::string Program::err() const { return read_all(err_); }

ProgramResult Program::wait() {
    auto pause = std::chrono::microseconds(500);
    while (!reap(false)) {
        if (std::chrono::steady_clock::now() - started_ > options_.timeout) {
            result_.timed_out = true;
            send(SIGKILL);
            reap(true);
            break;
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(10000));
    }
    result_.out = out();
    result_.err = err();
    return result_;
}

ProgramResult run_program(std::vector<std::string> args, ProgramOptions options) {
    Program program{std::move(args), std::move(options)};
    return program.wait();
}

std::vector<std::string> pgsluice_command(std::vector<std::string> args) {
    args.insert(args.begin(), PGSLUICE_PROGRAM);
    return args;
}

ProgramResult pgsluice(std::vector<std::string> args, ProgramOptions options) {
    return run_program(pgsluice_command(std::move(args)), std::move(options));
}

std::string output_of(std::vector<std::string> args, ProgramOptions options) {
    const std::string name = args.front();
    ProgramResult result = run_program(std::move(args), std::move(options));
    if (!result.ok()) throw std::runtime_error{name + " failed: " + result.text()};
    return std::move(result.out);
}

} // namespace pgsluice::tests
