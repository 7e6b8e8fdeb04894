#include "flow/watchdog.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pgsluice::flow {

namespace {

constexpr pid_t at_rest = -1;
constexpr int kept = 3; // the only descriptor of the watchdog

// Between fork and _exit of a process with threads: nothing but system calls.
[[noreturn]] void watch(int socket, const char* file) {
    setsid(); // what a terminal or a supervisor sends to our group is not for it
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) (void)::signal(signal, SIG_IGN);
    dup2(socket, kept);
    for (int standard = 0; standard < kept; ++standard) close(standard);
    close_range(kept + 1, ~0U, 0);
    pid_t group = 0, said = 0;
    for (;;) {
        const ssize_t got = read(kept, &said, sizeof(said));
        if (got == sizeof(said))
            group = said;
        else if (got == 0 || errno != EINTR)
            break;
    }
    if (group > 0) kill(-group, SIGKILL);
    if (group != at_rest && *file != '\0') unlink(file);
    _exit(0);
}

} // namespace

Watchdog::Watchdog(const std::string& file) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
        close(ends[1]);
        watch(ends[0], file.c_str());
    }
    close(ends[0]);
    socket_ = ends[1];
}

Watchdog::~Watchdog() {
    tell(at_rest);
    if (socket_ >= 0) close(socket_);
    while (pid_ > 0 && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void Watchdog::guard(pid_t group) { tell(group); }

// So little is never sent in parts. A watchdog that is gone is no reason for a SIGPIPE.
void Watchdog::tell(pid_t group) {
    if (pid_ <= 0) return;
    while (send(socket_, &group, sizeof(group), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

} // namespace pgsluice::flow
