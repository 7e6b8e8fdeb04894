// Options of every command, as plain values: the command line fills them, an embedding program may as well.
#pragma once
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/stop.hpp"

namespace pgsluice {

struct ConnectOptions {
    std::string source; // conninfo, URI or key=value
    std::string target;
    std::string source_password; // wins over what libpq would find; from --source-password-env
    std::string target_password;
    // Its request() ends a blocking form; also before that has begun. A program that wants SIGINT and SIGTERM
    // to do so calls stop_on_signals(stop). A coroutine is cancelled by whoever awaits it.
    StopSource stop;
    std::vector<std::string> password_variables; // of our environment: kept from other programs
    std::string maintenance_db;                  // "" : postgres, else any other we may connect to
};

enum class AclSource { target, source, both };
enum class ExtrasChoice { keep, drop, fail };
enum class DriftChoice { replay, carry, fail }; // rules.md section 2
enum class VerifyDepth { counts, checksum };

struct RefreshOptions {
    ConnectOptions connect;
    int jobs = 0;       // lanes; 0: by cores, at most 4
    int index_jobs = 0; // index builds at once; 0: as many as lanes
    std::size_t memory_bytes = limits::memory_bytes_default;
    std::chrono::milliseconds source_yield = limits::source_yield_default;
    std::chrono::milliseconds lock_timeout = limits::lock_timeout_default;
    ExtrasChoice extras = ExtrasChoice::keep;
    std::vector<std::string> keep;       // --keep PATTERN: carried whatever record or migrations say
    std::vector<std::string> preserve;   // --preserve TABLE[=col,...]
    std::vector<std::string> references; // --reference child.col=parent.col
    bool keep_deleted = false;           // preserved rows that the source deleted since stay
    DriftChoice drift = DriftChoice::replay;
    std::string migrate;        // --migrate CMD; empty: none
    bool migrate_shell = false; // sh reads it; else it is split at spaces and quotes
    std::chrono::milliseconds migrate_timeout = std::chrono::hours(1);
    bool swap = true;             // false: build, and wait for the command swap
    bool discard_waiting = false; // drop the database that an earlier run left waiting
    bool keep_previous = true;
    AclSource acl = AclSource::target;
    std::map<std::string, std::string> map_roles; // source role -> target role
    std::vector<std::string> migration_tables;    // besides flyway_schema_history
    std::vector<std::string> with_kinds;          // --with KIND or all
    std::string template_database;                // --template
    std::string allow_target;                     // HOST/DBNAME: the one-run form of the mark
    VerifyDepth verify = VerifyDepth::counts;
    bool source_is_right = false;
    bool strict = false;
};

struct VerifyOptions {
    ConnectOptions connect;
    VerifyDepth rows = VerifyDepth::counts; // checksum: each table is read once on both sides
    int jobs = 0;                           // tables at once; 0: as RefreshOptions::jobs
    std::vector<std::string> with_kinds;    // kinds of wires that the last refresh was told to bring in
};

// These need only `connect.target`.
struct RollbackOptions {
    ConnectOptions connect;
    std::string allow_target; // HOST/DBNAME: the one-run form of the mark
};
// Merges and swaps in what `refresh` without swap left waiting.
struct SwapOptions {
    ConnectOptions connect;
    std::string allow_target;
    // As for refresh; what the waiting run was told counts where these are empty.
    std::vector<std::string> preserve, references, keep;
    bool keep_deleted = false;
    bool keep_previous = true;
    bool strict = false;
    std::chrono::milliseconds lock_timeout = limits::lock_timeout_default;
};
struct PendingOptions {
    ConnectOptions connect;
};
struct CleanupOptions {
    ConnectOptions connect;
    std::string allow_target;
};
struct HistoryOptions {
    ConnectOptions connect;
    int runs_max = 20;
};

struct AllowTargetOptions {
    ConnectOptions connect; // `source` may stay empty when `allowed_source` is given; it is not connected to
    std::string allowed_source; // HOST/DBNAME; empty: host and database that connect.source names
    std::string confirmed_name; // the target database's name as a person typed it back
};

} // namespace pgsluice
