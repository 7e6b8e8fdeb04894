// Every limit of the engine, with its unit. A number that bounds something stands here, not in a room.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pgsluice::limits {

using namespace std::chrono_literals;

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;
constexpr std::size_t GiB = 1024 * MiB;

// Rows.
constexpr std::size_t block_bytes_max = 256 * KiB;     // one unit of the pipe and of compression
constexpr std::size_t copy_slice_bytes = 64 * KiB;     // one PQputCopyData; flushed before the next
constexpr std::size_t pipe_bytes_guaranteed = 1 * MiB; // per lane; the rest of --memory is shared
constexpr std::size_t memory_bytes_default = 64 * MiB;
constexpr std::size_t memory_bytes_min_per_lane = 1 * MiB;
constexpr std::size_t row_bytes_recycle = 8 * MiB; // libpq keeps its largest buffer: connect anew after it
static_assert(pipe_bytes_guaranteed >= 4 * block_bytes_max, "a lane must hold a few blocks to overlap work");

// PostgreSQL.
constexpr std::size_t identifier_bytes_max = 63; // NAMEDATALEN - 1
constexpr int server_version_min = 130000;
constexpr int server_major_max = 18;

// Lanes.
constexpr int lanes_default_max = 4;
constexpr int lanes_max = 64;
constexpr int connections_left_free = 10;

// Waiting.
constexpr auto connect_timeout_default = 15s;
constexpr auto statement_timeout_default = 60s; // catalog and control statements
constexpr auto copy_stall_timeout = 15min;      // no byte moved in either direction
constexpr auto copy_answer_patience = 1s;       // a server that answers amid COPY IN: notice or error?
constexpr auto statement_wait_max = 24h;        // index builds, VALIDATE, REFRESH
constexpr auto lock_timeout_default = 10s;      // on the source, per table
constexpr auto source_yield_default = 5s;       // how long somebody may wait for a lock of ours
constexpr auto stop_grace = 4s;                 // from the signal to the end of the process: 5 s in all
constexpr auto cancel_timeout = 2s;
constexpr auto helpers_grace = 500ms; // for jobs that nobody waits for any more

// What a server may make us hold.
constexpr std::size_t catalog_rows_max = 20'000'000;
constexpr std::size_t notices_kept_max = 100;

} // namespace pgsluice::limits
