#include "run/blocker.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using plan::LockMode;

// As pg_locks writes them, weakest first.
constexpr const char* mode_names[] = {
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};

std::string conflicting_modes(LockMode wanted) {
    std::string modes;
    for (int mode = 0; mode <= static_cast<int>(LockMode::access_exclusive); ++mode)
        if (plan::lock_conflicts(wanted, static_cast<LockMode>(mode)))
            modes += (modes.empty() ? "" : ", ") + pq::quote_literal(mode_names[mode]);
    return modes;
}

std::string blocker_sql(LockMode wanted, const std::string& tables) {
    return "select l.pid, a.usename, a.application_name, l.mode, n.nspname, c.relname from "
           "pg_catalog.pg_locks l "
           "join pg_catalog.pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') "
           "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
           "left join pg_catalog.pg_stat_activity a on a.pid = l.pid "
           "where l.granted and l.mode in (" +
           conflicting_modes(wanted) +
           ") and c.oid >= 16384 and l.pid <> pg_catalog.pg_backend_pid() and l.database = "
           "(select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())" +
           (tables.empty() ? "" : " and (" + tables + ")") +
           " order by c.relkind, l.pid, n.nspname, c.relname limit 1";
}

} // namespace

flow::Task<void> name_blocker(pq::Connection& session, std::string side, LockMode wanted, std::string tables,
                              std::exception_ptr failure) {
    const std::string sql = blocker_sql(wanted, tables);
    const pq::Rows rows = co_await session.rows(sql);
    if (rows.empty()) std::rethrow_exception(failure);
    throw Error{ErrorKind::refused, "somebody holds a lock on a " + side + " table"}
        .sqlstate("55P03")
        .object("table " +
                one_line(std::string(rows.at(0, "nspname")) + "." + std::string(rows.at(0, "relname"))))
        .detail(fmt::format("server process {} (role {}, application {}) holds {}", rows.at(0, "pid"),
                            one_line(rows.at(0, "usename")), one_line(rows.at(0, "application_name")),
                            rows.at(0, "mode")))
        .hint("wait until it has ended, or give --lock-timeout more time");
}

} // namespace pgsluice::run
