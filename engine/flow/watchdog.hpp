// A process beside ours that lives a moment longer: when we are killed, it kills a process group and removes
// a file. It holds nothing else of ours open, so that servers notice our end at once.
#pragma once
#include <string>

#include <sys/types.h>

namespace pgsluice::flow {

class Watchdog {
public:
    explicit Watchdog(const std::string& file); // may be empty. Without a free process there is no watchdog.
    ~Watchdog();                                // we end as we should: nothing is killed or removed
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void guard(pid_t group); // 0: none any more, its number may be another's

private:
    void tell(pid_t group);
    int socket_ = -1; // its other end closes with us, whatever ends us
    pid_t pid_ = 0;
};

} // namespace pgsluice::flow
