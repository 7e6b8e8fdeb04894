#include "run/blocker.hpp"

#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using plan::LockMode;

constexpr std::size_t named_max = 10; // sessions, and tables of each

// As pg_locks writes them, weakest first.
constexpr const char* mode_names[] = {
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};

std::string table_of(const pq::Rows& rows, std::size_t row) {
    return one_line(std::string(rows.at(row, "nspname")) + "." + std::string(rows.at(row, "relname")));
}

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
           " order by c.relkind, l.pid, n.nspname, c.relname";
}

// "server process 7 (role a, application b) holds ShareLock on public.t, public.u", a line for each.
std::string holders_of(const pq::Rows& rows) {
    struct Holder {
        std::string who;
        std::vector<std::string> tables;
    };
    std::map<std::string_view, Holder> holders; // by process
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Holder& holder = holders[rows.at(i, "pid")];
        if (holder.tables.empty())
            holder.who = fmt::format("server process {} (role {}, application {}) holds {} on ",
                                     rows.at(i, "pid"), one_line(rows.at(i, "usename")),
                                     one_line(rows.at(i, "application_name")), rows.at(i, "mode"));
        if (holder.tables.size() < named_max) holder.tables.push_back(table_of(rows, i));
    }
    std::vector<std::string> lines;
    for (const auto& [pid, holder] : holders)
        if (lines.size() < named_max) lines.push_back(holder.who + join(holder.tables, ", "));
    return join(lines, "; ");
}

} // namespace

flow::Task<void> name_blockers(pq::Connection& session, std::string side, LockMode wanted, std::string tables,
                               std::exception_ptr failure) {
    const std::string sql = blocker_sql(wanted, tables);
    const pq::Rows rows = co_await session.rows(sql);
    if (rows.empty()) std::rethrow_exception(failure);
    throw Error{ErrorKind::refused, "somebody holds a lock on a " + side + " table"}
        .sqlstate("55P03")
        .object("table " + table_of(rows, 0))
        .detail(holders_of(rows))
        .hint("wait until it has ended, or give --lock-timeout more time");
}

} // namespace pgsluice::run
