#include "run/new_database.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "flow/deadline.hpp"
#include "pq/quote.hpp"
#include "run/journal.hpp"
#include "run/waiting.hpp"

namespace pgsluice::run {

namespace {

using namespace std::chrono_literals;
using pq::quote_identifier;
using pq::quote_literal;

constexpr int drop_attempts = 20;
constexpr auto drop_pause = 250ms;
constexpr auto create_limit = 30min; // a --template database may be large

std::string display(const std::string& name) { return "database " + one_line(name); }

model::Oid to_oid(std::string_view text) {
    model::Oid oid = 0;
    std::from_chars(text.data(), text.data() + text.size(), oid);
    return oid;
}

std::uint64_t to_bytes(std::string_view text) {
    std::uint64_t bytes = 0;
    std::from_chars(text.data(), text.data() + text.size(), bytes);
    return bytes;
}

std::string create_sql(const Context& context, const model::DatabaseProperties& target,
                       const std::string& name, int server_version) {
    const std::string& from = context.options.template_database;
    std::string sql = "create database " + quote_identifier(name) + " owner " +
                      quote_identifier(target.owner) + " template " +
                      quote_identifier(from.empty() ? "template0" : from) + " encoding " +
                      quote_literal(target.encoding);
    // A template brings its own locale; another one is refused by the server.
    if (!from.empty()) return sql;
    if (server_version >= 150000 && target.locale_provider == 'i') {
        sql += " locale_provider icu icu_locale " + quote_literal(target.icu_locale);
        if (!target.icu_rules.empty()) sql += " icu_rules " + quote_literal(target.icu_rules);
    } else if (target.locale_provider == 'b') {
        sql += " locale_provider builtin builtin_locale " + quote_literal(target.icu_locale);
    }
    sql += " lc_collate " + quote_literal(target.collate) + " lc_ctype " + quote_literal(target.ctype);
    if (!target.tablespace.empty() && target.tablespace != "pg_default")
        sql += " tablespace " + quote_identifier(target.tablespace);
    return sql;
}

} // namespace

Task<std::optional<DatabaseFacts>> find_database(pq::Connection& maintenance, std::string name) {
    const std::string sql =
        "select d.oid, pg_catalog.pg_get_userbyid(d.datdba) as owner from pg_catalog.pg_database d "
        "where d.datname = " +
        quote_literal(name);
    const pq::Rows rows = co_await maintenance.rows(sql);
    if (rows.empty()) co_return std::nullopt;
    DatabaseFacts facts;
    facts.oid = to_oid(rows.at(0, "oid"));
    facts.owner = rows.at(0, "owner");
    co_return facts;
}

Task<model::Oid> create_beside(pq::Connection& maintenance, Context& context,
                               const model::DatabaseProperties& target, std::string name) {
    const std::string sql = create_sql(context, target, name, maintenance.server_version());
    try {
        co_await maintenance.command(sql, create_limit);
    } catch (Error& error) {
        error.during("cannot create the database beside the target").object(display(name));
        if (error.sqlstate() == "42501")
            error.hint("as an administrator: ALTER ROLE " + quote_identifier(context.target.user()) +
                       " CREATEDB; and the role must be the target's owner or a member of it");
        if (error.sqlstate() == "53100")
            error.hint("swap needs space for a second copy: free some or enlarge the disk");
        throw;
    }
    const std::optional<DatabaseFacts> created = co_await find_database(maintenance, name);
    if (!created)
        throw Error{ErrorKind::internal, "the database just created is not there"}.object(display(name));
    co_return created->oid;
}

Task<void> drop_database(pq::Connection& maintenance, std::string name, model::Oid expected_oid,
                         bool at_once) {
    // A killed client's backend lives on until it notices; it is ours, and would keep the database busy.
    const std::string end_ours =
        "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where datid = " +
        std::to_string(expected_oid) +
        " and usename = current_user and application_name = 'pgsluice' and pid <> "
        "pg_catalog.pg_backend_pid()";
    const std::string drop = "drop database " + quote_identifier(name);
    const std::string force = drop + " with (force)";
    for (int attempt = 1;; ++attempt) {
        const std::optional<DatabaseFacts> found = co_await find_database(maintenance, name);
        if (!found) co_return;
        if (found->oid != expected_oid)
            throw Error{ErrorKind::refused, "another database has taken the name"}
                .object(display(name))
                .hint("rename or drop it yourself; pgsluice drops only databases that it made");
        (void)co_await maintenance.rows(end_ours);
        std::exception_ptr failure;
        bool busy = false;
        try {
            const std::string& statement = !at_once && attempt < drop_attempts / 4 ? drop : force;
            co_await maintenance.command(statement, limits::statement_timeout_default);
            co_return;
        } catch (Error& error) {
            busy = error.sqlstate() == "55006"; // object_in_use
            error.during("cannot drop")
                .object(display(name))
                .hint("end the sessions in it, then run pgsluice cleanup");
            failure = std::current_exception();
        }
        if (!busy || attempt >= drop_attempts) std::rethrow_exception(failure);
        co_await flow::sleep_for(drop_pause);
    }
}

Task<std::vector<Leftover>> find_leftovers(pq::Connection& maintenance, pq::Connection& target,
                                           Context& context) {
    std::vector<Leftover> leftovers;
    for (const RunLine& run : co_await read_runs(target)) {
        if (run.database.empty() || run.run_id == context.run_id) continue;
        // Somebody means to swap it in, or to look why that failed.
        if (run.state == waiting_state || run.state == merging_state) continue;
        // A name in the journal that this target and that run id would not give is not ours to drop.
        if (run.database != beside_database_name(context.target_database(), run.run_id)) continue;
        const std::string sql =
            "select d.oid, pg_catalog.pg_database_size(d.oid) as bytes from pg_catalog.pg_database d "
            "where d.datname = " +
            quote_literal(run.database) + " and pg_catalog.pg_has_role(d.datdba, 'MEMBER')";
        const pq::Rows rows = co_await maintenance.rows(sql);
        if (rows.empty()) continue;
        Leftover leftover;
        leftover.name = run.database;
        leftover.run_id = run.run_id;
        leftover.oid = to_oid(rows.at(0, "oid"));
        leftover.bytes = to_bytes(rows.at(0, "bytes"));
        leftovers.push_back(std::move(leftover));
    }
    co_return leftovers;
}

Task<void> drop_leftovers(pq::Connection& maintenance, pq::Connection& target, Context& context) {
    for (const Leftover& leftover : co_await find_leftovers(maintenance, target, context)) {
        co_await drop_database(maintenance, leftover.name, leftover.oid);
        context.note(display(leftover.name), "left by run " + leftover.run_id + ", dropped");
    }
}

Task<std::uint64_t> database_bytes(pq::Connection& maintenance, std::string name) {
    const std::string sql =
        "select pg_catalog.pg_database_size(oid) as bytes from pg_catalog.pg_database where datname = " +
        quote_literal(name);
    const pq::Rows rows = co_await maintenance.rows(sql);
    if (rows.empty()) co_return 0;
    co_return to_bytes(rows.at(0, "bytes"));
}

Task<bool> drop_previous(pq::Connection& maintenance, pq::Connection& target, Context& context,
                         bool only_check) {
    const std::string name = previous_database_name(context.target_database());
    const std::optional<DatabaseFacts> found = co_await find_database(maintenance, name);
    if (!found) co_return false;
    const std::optional<model::Oid> recorded = co_await recorded_previous(target);
    if (!recorded || *recorded != found->oid)
        throw Error{ErrorKind::refused,
                    "a database with the name of the previous one is there, and no run made it"}
            .object(display(name))
            .hint("rename or drop it yourself if nobody needs it: pgsluice would need its name at the swap");
    if (!only_check) co_await drop_database(maintenance, name, found->oid);
    co_return true;
}

} // namespace pgsluice::run
