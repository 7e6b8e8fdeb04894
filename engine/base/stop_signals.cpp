// A handler may do next to nothing, so it writes the signal's number to a pipe, and a thread of its own reads
// it. The thread and the pipe last as long as the process: there is no safe moment to take them away.
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "base/stop.hpp"

namespace pgsluice {

namespace {

int pipe_out = -1, pipe_in = -1;

extern "C" void pass_signal_on(int number) {
    const int saved = errno;
    const char byte = static_cast<char>(number);
    // A full pipe has many requests in it already.
    [[maybe_unused]] const ssize_t written = ::write(pipe_in, &byte, 1);
    errno = saved;
}

struct Asked {
    std::mutex mutex;
    StopSource stop;
};

// Never destroyed: the thread may outlive every static object.
Asked& asked() {
    static Asked* const asked = new Asked;
    return *asked;
}

void read_signals() {
    for (;;) {
        char byte = 0;
        if (::read(pipe_out, &byte, 1) != 1) continue; // EINTR
        asked().mutex.lock();
        const StopSource stop = asked().stop;
        asked().mutex.unlock();
        stop.request(byte);
    }
}

void install() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error{ErrorKind::internal, "no pipe for signals"};
    pipe_out = ends[0];
    pipe_in = ends[1];
    ::fcntl(pipe_in, F_SETFL, O_NONBLOCK);
    struct sigaction action {};
    action.sa_handler = pass_signal_on;
    action.sa_flags = SA_RESTART; // other code's waits are not our business
    // One at a time: of two at once the second's handler would run first.
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::thread(read_signals).detach();
}

} // namespace

void stop_on_signals(const StopSource& stop) {
    {
        const std::lock_guard lock(asked().mutex);
        asked().stop = stop;
    }
    static std::once_flag once;
    std::call_once(once, install);
}

} // namespace pgsluice
