#include "run/guard.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/run_id.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/journal.hpp"

namespace pgsluice::run {

namespace {

constexpr std::string_view identity_sql =
    "select pg_catalog.pg_is_in_recovery() as standby, "
    "(select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as identifier";

std::string host_and_database(const pq::Conninfo& conninfo) {
    return conninfo.host() + "/" + conninfo.database();
}

// The database of the target's server, by its oid, in which the advisory lock that `source` holds shows; "":
// none, it is another server.
Task<std::string> database_of_lock(pq::Connection& target, std::uint64_t key) {
    const std::string sql = fmt::format("select database from pg_catalog.pg_locks where locktype = "
                                        "'advisory' and classid = {} and objid = {} "
                                        "and objsubid = 1",
                                        key >> 32, key & 0xFFFFFFFF);
    const pq::Rows rows = co_await target.rows(sql);
    if (rows.empty()) co_return std::string{};
    co_return std::string(rows.at(0, std::size_t{0}));
}

// Databases that runs of this target have made or moved away: a run drops them, whatever reads them.
Task<void> refuse_own_database(const Context& context, pq::Connection& target, std::string source_oid) {
    const std::string& source = context.source.database();
    bool own = source == previous_database_name(context.target_database());
    for (const RunLine& run : co_await read_runs(target))
        own = own || run.database == source || std::to_string(run.previous_oid) == source_oid;
    if (!own) co_return;
    throw Error{ErrorKind::refused,
                "the source is a database that runs of this target have made or moved away"}
        .object("database " + one_line(context.source.display()))
        .hint("a refresh would drop it: name prod as the source; pgsluice rollback brings the previous one "
              "back");
}

} // namespace

Task<void> guard_same_database(Context& context, pq::Connection& source, pq::Connection& target) {
    const std::string identity{identity_sql};
    const pq::Rows ours = co_await source.rows(identity);
    const pq::Rows theirs = co_await target.rows(identity);
    if (theirs.at(0, "standby") == "t")
        throw Error{ErrorKind::refused, "the target is a standby"}
            .object("database " + one_line(context.target.display()))
            .hint("name the primary: nothing can be written here");

    std::random_device device;
    const std::uint64_t key = (static_cast<std::uint64_t>(device()) << 32 | device()) >> 1;
    const std::string take = fmt::format("select pg_catalog.pg_advisory_lock({})", key);
    (void)co_await source.rows(take);
    const std::string seen_in = co_await database_of_lock(target, key);
    const std::string release = fmt::format("select pg_catalog.pg_advisory_unlock({})", key);
    (void)co_await source.rows(release);
    const std::string own_sql =
        "select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()";
    const std::string own = co_await target.value(own_sql);
    if (seen_in == own)
        throw Error{ErrorKind::refused, "source and target are the same database"}
            .object("database " + one_line(context.target.display()))
            .hint("check --source and --target: one of them points to the wrong server");
    if (!seen_in.empty()) co_await refuse_own_database(context, target, seen_in);

    if (ours.at(0, "identifier") != theirs.at(0, "identifier") || ours.at(0, "identifier").empty()) co_return;
    if (ours.at(0, "standby") != "t") {
        context.note("target",
                     "its server has the source's system identifier: the same server, or one restored "
                     "from the source's storage");
        co_return;
    }
    const std::optional<Mark> mark = co_await read_mark(target);
    if (!mark || mark->allowed_source_host != context.source.host() ||
        mark->allowed_source_database != context.source.database())
        throw Error{ErrorKind::refused, "the source is a standby with the target's system identifier"}
            .object("database " + one_line(context.target.display()))
            .hint("it may be a standby of the target itself: if not, mark the target with pgsluice "
                  "allow-target");
}

Task<void> guard_exchanged(const Context& context, pq::Connection& source) {
    if (context.options.source_is_right) co_return;
    const std::string look =
        "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
        "c.relnamespace where n.nspname = 'pgsluice' and c.relname in ('run', 'mark') and "
        "pg_catalog.has_schema_privilege(n.oid, 'USAGE') and "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT')";
    const std::string readable = co_await source.value(look);
    if (readable != "2") co_return;
    const std::string display = context.target.display();
    const std::string sql =
        "select (select count(*) from pgsluice.run where state = 'swapped' and "
        "pg_catalog.split_part(source, ' as ', 1) = " +
        pq::quote_literal(display.substr(0, display.find(" as "))) +
        ") + (select count(*) from pgsluice.mark where database = pg_catalog.current_database() and "
        "allowed_source_host = " +
        pq::quote_literal(context.target.host()) +
        " and allowed_source_database = " + pq::quote_literal(context.target.database()) + ")";
    const std::string made_from_target = co_await source.value(sql);
    if (made_from_target == "0") co_return;
    throw Error{
        ErrorKind::refused,
        "source and target are exchanged: the source is marked as, or made by, a refresh from this target"}
        .object("database " + one_line(display))
        .hint("exchange --source and --target; if this really is the source, say --source-is-right");
}

Task<void> guard_mark(Context& context, pq::Connection& target) {
    const std::string wanted = host_and_database(context.target);
    if (!context.options.allow_target.empty()) {
        const std::string with_port =
            context.target.host() + ":" + context.target.port() + "/" + context.target.database();
        if (context.options.allow_target == with_port) co_return;
        if (context.options.allow_target == wanted) {
            if (wanted == host_and_database(context.source))
                context.note("--allow-target", "names the source, too: HOST:PORT/DBNAME names one of them");
            co_return;
        }
        throw Error{ErrorKind::refused, "--allow-target names another database"}
            .object("database " + one_line(context.target.display()))
            .hint("to overwrite this target say --allow-target " + one_line(wanted));
    }
    const std::optional<Mark> mark = co_await read_mark(target);
    const std::string hint =
        "if it may be overwritten: pgsluice allow-target --source ... --target ... (once), or "
        "--allow-target " +
        one_line(wanted) + " (this run only)";
    if (!mark)
        throw Error{ErrorKind::refused, "the target is not marked as one that may be overwritten"}
            .object("database " + one_line(context.target.display()))
            .hint(hint);
    const std::string identity{identity_sql};
    const pq::Rows facts = co_await target.rows(identity);
    if (mark->system_identifier != facts.at(0, "identifier") || mark->database != context.target_database())
        throw Error{ErrorKind::refused, "the target's mark was made for another server or database"}
            .object("database " + one_line(context.target.display()))
            .detail("marked: " + one_line(mark->database))
            .hint(hint);
    if (context.source.database().empty()) co_return;
    if (mark->allowed_source_host != context.source.host() ||
        mark->allowed_source_database != context.source.database())
        throw Error{ErrorKind::refused, "the target's mark allows another source"}
            .object("database " + one_line(context.target.display()))
            .detail("allowed: " + one_line(mark->allowed_source_host + "/" + mark->allowed_source_database))
            .hint(hint);
}

void guard_source_size(const Context& context, const model::Database& source, const model::Database& target,
                       const model::Database* planned) {
    if (context.options.source_is_right) return;
    const std::string hint = "if this really is the source, say --source-is-right";
    if (source.rows.empty())
        throw Error{ErrorKind::refused, "the source has no user tables"}.object("source").hint(hint);

    std::map<std::pair<std::string, std::string>, const model::TableRows*> on_source;
    for (const model::TableRows& table : source.rows)
        on_source.emplace(std::pair{table.schema, table.name}, &table);
    std::size_t shared = 0;
    double source_rows = 0, target_rows = 0;
    std::uint64_t source_bytes = 0, target_bytes = 0;
    bool rows_known = true;
    std::size_t target_tables = 0, extras = 0;
    std::uint64_t all_bytes = 0;
    for (const model::TableRows& table : target.rows) {
        if (table.schema == "pgsluice") continue;
        ++target_tables;
        all_bytes += table.bytes;
        const model::TableRows* will_be = planned == nullptr ? nullptr : planned->rows_of(table.table);
        if (will_be != nullptr && will_be->from_target) ++extras;
        const auto at = on_source.find({table.schema, table.name});
        if (at == on_source.end()) continue;
        ++shared;
        // A table that was never analyzed says -1: then bytes decide, which any table knows.
        rows_known = rows_known && table.rows >= 0 && at->second->rows >= 0;
        source_rows += at->second->rows;
        target_rows += table.rows;
        source_bytes += at->second->bytes;
        target_bytes += table.bytes;
    }
    target_tables -= extras;
    // Without a record nobody can tell a table that the source has lost from one that was made on the target:
    // a few of these, or many with little in them, are no sign of a wrong source.
    const std::size_t missing = target_tables - std::min(shared, target_tables);
    const bool may_be_extras = planned == nullptr && (missing < 3 || target_bytes * 2 > all_bytes);
    if (target_tables > 1 && source.rows.size() * 2 < target_tables && !may_be_extras)
        throw Error{ErrorKind::refused, "the source has less than half of the target's tables"}
            .object("source")
            .detail(fmt::format("{} tables against {}", source.rows.size(), target_tables))
            .hint(hint);
    const bool fewer_rows = rows_known && source_rows * 2 < target_rows;
    // Free space and visibility maps come with the first vacuum: on small tables they are most of the bytes.
    const std::uint64_t maps = shared * 64 * limits::KiB;
    const bool fewer_bytes = !rows_known && source_bytes * 2 + maps < target_bytes;
    if (shared > 0 && (fewer_rows || fewer_bytes))
        throw Error{ErrorKind::refused,
                    "the source has less than half of the target's rows in the tables of both"}
            .object("source")
            .detail(fmt::format("{} against {}", format_size(source_bytes), format_size(target_bytes)))
            .hint(hint);
}

} // namespace pgsluice::run
