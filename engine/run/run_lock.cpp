#include "run/run_lock.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

Error busy(const std::string& target, const std::string& who) {
    Error error{ErrorKind::refused, "another run of pgsluice works on this target"};
    error.object("database " + one_line(target));
    if (!who.empty()) error.detail(who);
    return error.hint(
        "wait for it to end, or end its session with pg_terminate_backend if its process is gone");
}

} // namespace

std::int64_t run_lock_key(std::string_view target_database) {
    return static_cast<std::int64_t>(stable_hash("pgsluice run on " + std::string(target_database)));
}

flow::Task<void> take_run_lock(pq::Connection& session, std::string target_database) {
    const std::int64_t key = run_lock_key(target_database);
    const std::string take = fmt::format("select pg_catalog.pg_try_advisory_lock({})", key);
    const std::string taken = co_await session.value(take);
    // pg_locks splits the key in two 32-bit halves, objsubid 1; `database` differs where maintenance
    // databases do.
    const auto bits = static_cast<std::uint64_t>(key);
    const std::string look = fmt::format(
        "select l.pid, d.datname, a.usename, a.client_addr from pg_catalog.pg_locks l "
        "left join pg_catalog.pg_database d on d.oid = l.database "
        "left join pg_catalog.pg_stat_activity a on a.pid = l.pid "
        "where l.locktype = 'advisory' and l.classid = {} and l.objid = {} and l.objsubid = 1 and l.granted "
        "and l.pid <> pg_catalog.pg_backend_pid()",
        bits >> 32, bits & 0xFFFFFFFF);
    const pq::Rows others = co_await session.rows(look);
    if (others.empty() && taken == "t") co_return;
    std::string who;
    if (!others.empty())
        who = fmt::format("held by server process {} (role {}) in database {}", others.at(0, "pid"),
                          one_line(others.at(0, "usename")), one_line(others.at(0, "datname")));
    throw busy(target_database, who);
}

} // namespace pgsluice::run
