#include "pq/cancel.hpp"

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include <boost/asio/post.hpp>
#include <libpq-fe.h>

#include "base/limits.hpp"

namespace pgsluice::pq {

namespace {

struct Sent {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
};

} // namespace

void cancel_in_background(PGconn* connection, const flow::Executor& helpers) {
    const std::shared_ptr<PGcancel> request(PQgetCancel(connection), PQfreeCancel);
    if (!request) return;
    auto sent = std::make_shared<Sent>();
    try {
        std::thread([request, sent] {
            std::array<char, 256> why{};
            PQcancel(request.get(), why.data(),
                     static_cast<int>(why.size())); // best effort: nobody is left to tell
            const std::lock_guard lock(sent->mutex);
            sent->done = true;
            sent->changed.notify_all();
        }).detach();
    } catch (const std::system_error&) {
        return;
    } // no thread to be had
    if (!helpers) return;
    const auto deadline = std::chrono::steady_clock::now() + limits::cancel_timeout;
    asio::post(helpers, [sent, deadline] {
        std::unique_lock lock(sent->mutex);
        sent->changed.wait_until(lock, deadline, [&] { return sent->done; });
    });
}

} // namespace pgsluice::pq
