#include "run/rights.hpp"

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using pq::quote_identifier;
using pq::quote_literal;
using report::CheckItem;
using report::Needed;

std::uint64_t to_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

CheckItem item(report::Side side, std::string right, bool ok, Needed needed, std::string granted_by,
               std::string note = {}) {
    CheckItem made;
    made.side = side;
    made.right = std::move(right);
    made.ok = ok;
    made.needed = needed;
    if (!ok) made.granted_by = std::move(granted_by);
    made.note = std::move(note);
    return made;
}

// User schemas, without members of extensions.
constexpr std::string_view user_relations =
    "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'pgsluice') and not exists "
    "(select 1 from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "and d.objid = c.oid and d.deptype = 'e')";

// One item per relation that cannot be read, or one that says all can. `what` for people, `test` SQL that is
// true for a relation that is fine.
Task<void> check_relations(pq::Connection& source, std::string relkinds, std::string what, std::string test,
                           std::string grant, report::CheckReport& report) {
    const std::string sql = "select n.nspname, c.relname, (" + test +
                            ") as ok, pg_catalog.pg_get_userbyid(c.relowner) " + std::string(user_relations) +
                            " and c.relkind in (" + relkinds + ") order by 1, 2";
    const pq::Rows rows = co_await source.rows(sql);
    std::size_t missing = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows.at(i, "ok") == "t") continue;
        ++missing;
        const std::string name = pq::quote_qualified(rows.at(i, "nspname"), rows.at(i, "relname"));
        std::string command = grant;
        if (const auto at = command.find("{}"); at != std::string::npos) command.replace(at, 2, name);
        report.items.push_back(
            item(report::Side::source, what + " " + one_line(name), false, Needed::now, command));
    }
    if (missing == 0)
        report.items.push_back(
            item(report::Side::source, fmt::format("{} all {}", what, rows.size()), true, Needed::now, {}));
}

Task<void> check_source(Context& context, pq::Connection& source, report::CheckReport& report) {
    const std::string role = quote_identifier(context.source.user());
    const std::string schemas =
        "select n.nspname from pg_catalog.pg_namespace n where n.nspname !~ '^pg_' and n.nspname not in "
        "('information_schema', 'pgsluice') and not pg_catalog.has_schema_privilege(n.oid, 'USAGE') and "
        "exists "
        "(select 1 from pg_catalog.pg_class c where c.relnamespace = n.oid) order by 1";
    const pq::Rows rows = co_await source.rows(schemas);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string name = quote_identifier(rows.at(i, "nspname"));
        report.items.push_back(item(report::Side::source, "USAGE on schema " + one_line(name), false,
                                    Needed::now, "GRANT USAGE ON SCHEMA " + name + " TO " + role + ";"));
    }
    co_await check_relations(source, "'r', 'p'",
                             "SELECT on tables:", "pg_catalog.has_table_privilege(c.oid, 'SELECT')",
                             "GRANT SELECT ON TABLE {} TO " + role + ";", report);
    co_await check_relations(source, "'S'",
                             "SELECT on sequences:", "pg_catalog.has_sequence_privilege(c.oid, 'SELECT')",
                             "GRANT SELECT ON SEQUENCE {} TO " + role + ";", report);
    // A policy that hid rows would make the copy wrong in silence: sessions switch row security off, and the
    // server then refuses whoever is bound by it.
    co_await check_relations(source, "'r', 'p'",
                             "all rows of (row level security):", "not pg_catalog.row_security_active(c.oid)",
                             "ALTER ROLE " + role + " BYPASSRLS; -- or read table {} as its owner", report);
}

// What comes with --template; nothing where the role may not look.
Task<std::optional<std::set<std::string>>> extensions_of_template(Context& context) {
    std::optional<std::set<std::string>> names;
    if (context.options.template_database.empty()) co_return names;
    const std::string sql = "select extname from pg_catalog.pg_extension";
    try {
        pq::Connection inside = co_await open_target(context, context.options.template_database);
        const pq::Rows rows = co_await inside.rows(sql);
        names.emplace();
        for (std::size_t i = 0; i < rows.size(); ++i) names->emplace(rows.at(i, std::size_t{0}));
    } catch (const Error&) {
        names.reset(); // check_template() says what is wrong with it
    }
    co_return names;
}

Task<void> check_extensions(Context& context, pq::Connection& source, pq::Connection& target,
                            report::CheckReport& report) {
    const std::string wanted = "select e.extname, e.extversion from pg_catalog.pg_extension e "
                               "where e.extname <> 'plpgsql' order by 1";
    const pq::Rows extensions = co_await source.rows(wanted);
    if (extensions.empty()) co_return;
    const std::string offered =
        "select a.name, coalesce(e.extversion, a.default_version) as version, v.superuser and not v.trusted "
        "and not "
        "(select rolsuper from pg_catalog.pg_roles where rolname = current_user) as forbidden, "
        "v.version is null as gone "
        "from pg_catalog.pg_available_extensions a "
        "left join pg_catalog.pg_extension e on e.extname = a.name "
        "left join pg_catalog.pg_available_extension_versions v on v.name = a.name "
        "and v.version = coalesce(e.extversion, a.default_version)";
    const pq::Rows rows = co_await target.rows(offered);
    std::map<std::string, std::size_t, std::less<>> by_name;
    for (std::size_t i = 0; i < rows.size(); ++i) by_name.emplace(rows.at(i, "name"), i);
    const std::string& from = context.options.template_database;
    const std::optional<std::set<std::string>> prepared = co_await extensions_of_template(context);
    for (std::size_t i = 0; i < extensions.size(); ++i) {
        const std::string name{extensions.at(i, "extname")};
        const std::string quoted = quote_identifier(name);
        std::string right = "extension " + one_line(name), granted_by;
        const auto at = by_name.find(name);
        if (prepared && prepared->contains(name)) {
            // It is made already.
        } else if (at == by_name.end()) {
            granted_by = "install the package of extension " + one_line(name) + " on the target's server";
        } else if (rows.at(at->second, "gone") == "t") {
            right += " in the target's version " + one_line(rows.at(at->second, "version"));
            granted_by = "its server cannot make that version any more: ALTER EXTENSION " + quoted +
                         " UPDATE; in the target";
        } else if (rows.at(at->second, "forbidden") == "t" && from.empty()) {
            granted_by = "as an administrator: CREATE DATABASE t TEMPLATE template0; CREATE EXTENSION " +
                         quoted + " in it; then refresh with --template t";
        } else if (rows.at(at->second, "forbidden") == "t" && prepared) {
            right += " in template database " + one_line(quote_identifier(from));
            granted_by = "as an administrator, in that database: CREATE EXTENSION " + quoted + ";";
        }
        report.items.push_back(
            item(report::Side::target, right, granted_by.empty(), Needed::now, granted_by));
    }
}

Task<void> check_target(Context& context, pq::Connection& target, report::CheckReport& report) {
    const std::string role = quote_identifier(context.target.user());
    const std::string name = quote_identifier(context.target_database());
    const std::string sql = "select r.rolcreatedb or r.rolsuper as createdb, "
                            "pg_catalog.pg_has_role(d.datdba, 'MEMBER') as owner, "
                            "pg_catalog.pg_get_userbyid(d.datdba) as owner_name, r.rolsuper or "
                            "pg_catalog.pg_has_role('pg_signal_backend', 'MEMBER') as signal "
                            "from pg_catalog.pg_roles r, pg_catalog.pg_database d "
                            "where r.rolname = current_user and d.datname = pg_catalog.current_database()";
    const pq::Rows rows = co_await target.rows(sql);
    report.items.push_back(item(report::Side::target, "CREATEDB", rows.at(0, "createdb") == "t", Needed::now,
                                "ALTER ROLE " + role + " CREATEDB;"));
    report.items.push_back(item(report::Side::target, "owner of database " + one_line(name),
                                rows.at(0, "owner") == "t", Needed::at_the_swap,
                                "GRANT " + quote_identifier(rows.at(0, "owner_name")) + " TO " + role + ";"));
    const std::string sessions = "select distinct a.usename, coalesce(q.rolsuper, true) as superuser from "
                                 "pg_catalog.pg_stat_activity a "
                                 "left join pg_catalog.pg_roles q on q.oid = a.usesysid where a.datname = "
                                 "pg_catalog.current_database() "
                                 "and a.usesysid is not null and not "
                                 "coalesce(pg_catalog.pg_has_role(a.usesysid, 'MEMBER'), false) "
                                 "order by 1";
    const pq::Rows others = co_await target.rows(sessions);
    for (std::size_t i = 0; i < others.size(); ++i) {
        // A superuser's needs no right that anybody could grant.
        const bool superuser = others.at(i, "superuser") == "t";
        const bool ok = superuser || rows.at(0, "signal") == "t";
        CheckItem found =
            item(report::Side::target,
                 "ending sessions of role " + one_line(quote_identifier(others.at(i, "usename"))), ok,
                 Needed::at_the_swap, "GRANT pg_signal_backend TO " + role + ";");
        // Not a stop: the session may be gone by then.
        found.stops = false;
        if (!ok || superuser) found.note = "the swap waits half a minute for them to end, then gives up";
        report.items.push_back(std::move(found));
    }
}

// --template: there, and ours to copy; asked before the previous database goes.
Task<void> check_template(Context& context, pq::Connection& target, report::CheckReport& report) {
    const std::string& name = context.options.template_database;
    if (name.empty()) co_return;
    const std::string quoted = quote_identifier(name);
    const std::string sql = "select datistemplate or pg_catalog.pg_has_role(datdba, 'USAGE') as usable from "
                            "pg_catalog.pg_database where datname = " +
                            quote_literal(name);
    const pq::Rows rows = co_await target.rows(sql);
    const std::string granted = rows.empty()
                                    ? "check the name given with --template: psql -l lists databases"
                                    : "as an administrator: ALTER DATABASE " + quoted + " IS_TEMPLATE true;";
    const bool ok = !rows.empty() && rows.at(0, "usable") == "t";
    report.items.push_back(
        item(report::Side::target, "template database " + one_line(quoted), ok, Needed::now, granted));
}

} // namespace

Task<report::ServerFacts> read_server_facts(pq::Connection& session) {
    const std::string sql =
        "select pg_catalog.current_setting('server_version') as version, pg_catalog.pg_is_in_recovery() as "
        "standby, "
        "(select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as identifier, "
        "pg_catalog.pg_database_size(pg_catalog.current_database()) as bytes";
    const pq::Rows rows = co_await session.rows(sql);
    report::ServerFacts facts;
    facts.host = session.conninfo().host();
    facts.port = session.conninfo().port();
    facts.database = session.conninfo().database();
    facts.role = session.conninfo().user();
    facts.version = one_line(rows.at(0, "version"));
    facts.version_number = session.server_version();
    facts.tls = session.tls();
    facts.system_identifier = rows.at(0, "identifier");
    facts.database_bytes = to_number(rows.at(0, "bytes"));
    facts.standby = rows.at(0, "standby") == "t";
    co_return facts;
}

Task<report::CheckReport> check_rights(Context& context, pq::Connection& source, pq::Connection& target,
                                       pq::Connection* maintenance) {
    report::CheckReport report;
    report.source = co_await read_server_facts(source);
    report.target = co_await read_server_facts(target);
    co_await check_source(context, source, report);
    co_await check_target(context, target, report);
    report.items.push_back(item(report::Side::target, "a session in another database of the server",
                                maintenance != nullptr, Needed::now,
                                "GRANT CONNECT ON DATABASE postgres TO " +
                                    quote_identifier(context.target.user()) + "; or --maintenance-db"));
    co_await check_extensions(context, source, target, report);
    co_await check_template(context, target, report);
    if (report.target.version_number / 10000 < report.source.version_number / 10000)
        report.notes.push_back(fmt::format("the target's server ({}) is older than the source's ({}): an "
                                           "object that uses what only the newer one has "
                                           "stops the run, the target untouched",
                                           report.target.version, report.source.version));
    co_return report;
}

std::vector<std::string> done_without(const report::CheckReport& report) {
    std::vector<std::string> texts;
    for (const CheckItem& each : report.items)
        if (!each.ok && !each.stops)
            texts.push_back(each.right + ": a right is missing; " + each.note + ". HINT: " + each.granted_by);
    return texts;
}

void refuse_missing_rights(const report::CheckReport& report) {
    std::vector<const CheckItem*> missing;
    for (const CheckItem& each : report.items)
        if (!each.ok && each.stops) missing.push_back(&each);
    if (missing.empty()) return;
    const CheckItem& first = *missing.front();
    Error error{ErrorKind::refused, "a right is missing"};
    error.object((first.side == report::Side::source ? "source: " : "target: ") + first.right);
    if (missing.size() > 1) {
        std::vector<std::string> others;
        for (std::size_t i = 1; i < missing.size() && i < 10; ++i) others.push_back(missing[i]->right);
        error.detail(fmt::format("and {} more: {}", missing.size() - 1, join(others, ", ")));
    }
    throw error.hint(first.granted_by);
}

} // namespace pgsluice::run
