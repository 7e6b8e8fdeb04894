#include "run/journal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/canonical.hpp"
#include "merge/merge.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

// Of pgsluice.identity: Identities::Element; and before the kind of what has a comment.
constexpr std::string_view element_kind = "column";
const std::string comment_on = "comment on ";

using pq::quote_literal;

constexpr int runs_kept = 20; // rules.md section 5

constexpr std::string_view journal_ddl = R"(
create table if not exists pgsluice.run (
    run_id text primary key,
    command text not null,
    state text not null,
    source text,
    started timestamptz not null default pg_catalog.clock_timestamp(),
    finished timestamptz,
    database text,
    previous text,
    previous_oid oid,
    report jsonb);
create table if not exists pgsluice.identity (
    run_id text not null,
    recorded timestamptz not null,
    kind text not null,
    schema text not null,
    table_name text not null,
    name text not null,
    arguments text not null,
    definition text not null default '');
alter table pgsluice.identity add column if not exists definition text not null default '';
create table if not exists pgsluice.mark (
    system_identifier text not null,
    database text not null,
    allowed_source_host text not null,
    allowed_source_database text not null,
    marked timestamptz not null default pg_catalog.clock_timestamp());
create table if not exists pgsluice.pending (
    kind text not null,
    schema text not null,
    table_name text not null,
    name text not null,
    arguments text not null,
    object text not null,
    reason text not null,
    why text not null check (why in ('cannot', 'drift', 'migration')),
    sql text not null,
    run_id text not null,
    since timestamptz not null,
    last_tried timestamptz,
    primary key (why, object));
create table if not exists pgsluice.rejected (
    table_name text not null,
    reason text not null,
    "row" jsonb not null,
    run_id text not null,
    at timestamptz not null default pg_catalog.clock_timestamp()))";

model::Oid parse_oid(std::string_view text) {
    model::Oid oid = 0;
    std::from_chars(text.data(), text.data() + text.size(), oid);
    return oid;
}

// Seconds since 1970, with a fraction; empty is the epoch.
WallTime to_time(std::string_view seconds) {
    const double value = seconds.empty() ? 0 : std::strtod(std::string(seconds).c_str(), nullptr);
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(value)));
}

std::string null_if_empty(const std::string& text) { return text.empty() ? "null" : quote_literal(text); }

} // namespace

Task<bool> has_journal(pq::Connection& session) {
    const std::string sql = "select pg_catalog.to_regclass('pgsluice.run') is not null";
    const std::string found = co_await session.value(sql);
    co_return found == "t";
}

Task<void> create_journal(pq::Connection& session) {
    const std::string look = "select pg_catalog.pg_has_role(nspowner, 'MEMBER') from pg_catalog.pg_namespace "
                             "where nspname = 'pgsluice'";
    const pq::Rows schema = co_await session.rows(look);
    if (!schema.empty() && schema.at(0, std::size_t{0}) != "t")
        throw Error{ErrorKind::refused, "schema pgsluice of the target belongs to another role"}
            .object("schema pgsluice")
            .hint("run pgsluice as its owner, or have the owner: ALTER SCHEMA pgsluice OWNER TO ...");
    const std::string ddl =
        std::string("begin; create schema if not exists pgsluice;") + std::string(journal_ddl) + "; commit";
    co_await session.command(ddl);
}

Task<void> begin_run(pq::Connection& session, RunLine line) {
    // We hold the run lock: whatever else says that it is running was killed.
    const std::string sql =
        fmt::format("update pgsluice.run set state = 'interrupted' where state = 'running'; insert into "
                    "pgsluice.run (run_id, command, state, source, database) values ({}, {}, {}, {}, {})",
                    quote_literal(line.run_id), quote_literal(line.command), quote_literal(line.state),
                    null_if_empty(line.source), null_if_empty(line.database));
    co_await session.command(sql);
}

Task<void> end_run(pq::Connection& session, std::string run_id, std::string state, std::string report_json,
                   std::string previous, model::Oid previous_oid) {
    const std::string sql =
        fmt::format("update pgsluice.run set state = {}, finished = pg_catalog.clock_timestamp(), report = "
                    "{}, previous = {}, "
                    "previous_oid = {} where run_id = {}",
                    quote_literal(state), null_if_empty(report_json), null_if_empty(previous),
                    previous_oid == 0 ? "null" : std::to_string(previous_oid), quote_literal(run_id));
    co_await session.command(sql);
}

Task<std::vector<RunLine>> read_runs(pq::Connection& session) {
    std::vector<RunLine> lines;
    const bool known = co_await has_journal(session);
    if (!known) co_return lines;
    const std::string sql =
        "select run_id, command, state, source, pg_catalog.date_part('epoch', started) as started, "
        "pg_catalog.date_part('epoch', finished) as finished, database, previous, previous_oid, report "
        "from pgsluice.run order by started desc, run_id limit 1000";
    const pq::Rows rows = co_await session.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RunLine line;
        line.run_id = rows.at(i, "run_id");
        line.command = rows.at(i, "command");
        line.state = rows.at(i, "state");
        line.source = rows.at(i, "source");
        line.started_at = to_time(rows.at(i, "started"));
        line.finished_at = to_time(rows.at(i, "finished"));
        line.database = rows.at(i, "database");
        line.previous = rows.at(i, "previous");
        line.previous_oid = parse_oid(rows.at(i, "previous_oid"));
        line.report = rows.at(i, "report");
        lines.push_back(std::move(line));
    }
    co_return lines;
}

Task<std::optional<model::Oid>> recorded_previous(pq::Connection& session) {
    const std::vector<RunLine> runs = co_await read_runs(session);
    for (const RunLine& run : runs)
        if (run.previous_oid != 0) co_return run.previous_oid;
    co_return std::nullopt;
}

Task<std::optional<Mark>> read_mark(pq::Connection& session) {
    const std::string look = "select pg_catalog.to_regclass('pgsluice.mark') is not null";
    const std::string found = co_await session.value(look);
    if (found != "t") co_return std::nullopt;
    const std::string sql =
        "select system_identifier, database, allowed_source_host, allowed_source_database "
        "from pgsluice.mark order by marked desc limit 1";
    const pq::Rows rows = co_await session.rows(sql);
    if (rows.empty()) co_return std::nullopt;
    Mark mark;
    mark.system_identifier = rows.at(0, "system_identifier");
    mark.database = rows.at(0, "database");
    mark.allowed_source_host = rows.at(0, "allowed_source_host");
    mark.allowed_source_database = rows.at(0, "allowed_source_database");
    co_return mark;
}

Task<void> write_mark(pq::Connection& session, Mark mark) {
    const std::string sql =
        fmt::format("begin; delete from pgsluice.mark; insert into pgsluice.mark (system_identifier, "
                    "database, allowed_source_host, "
                    "allowed_source_database) values ({}, {}, {}, {}); commit",
                    quote_literal(mark.system_identifier), quote_literal(mark.database),
                    quote_literal(mark.allowed_source_host), quote_literal(mark.allowed_source_database));
    co_await session.command(sql);
}

Identities identities_of(const model::Database& planned, int server_version) {
    Identities identities;
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const model::Object& object : planned.objects) {
        if (object.extra) continue; // only what came from the source can be dropped there
        const model::NaturalKey key = model::natural_key(object);
        identities.objects.insert(key);
        identities.definitions[key] =
            merge::definition_mark(kinds::definition(object, planned, server_version));
        if (object.comment && !object.extra_comments.contains(""))
            identities.comments[key] = merge::definition_mark(*object.comment);
        for (const auto& [column, comment] : object.column_comments)
            if (!object.extra_comments.contains(column) && !has(object.extra_elements, column))
                identities.column_comments[{object.schema, object.name, column}] =
                    merge::definition_mark(comment);
        if (!merge::has_elements(object)) continue;
        for (const std::string& element : object.elements)
            if (!has(object.extra_elements, element))
                identities.elements.insert({object.schema, object.name, element});
    }
    return identities;
}

Task<void> write_identities(pq::Connection& session, std::string run_id, Identities identities) {
    std::string rows;
    const auto escape = [](std::string_view text) {
        std::string escaped;
        for (const char c : text) {
            if (c == '\\')
                escaped += "\\\\";
            else if (c == '\n')
                escaped += "\\n";
            else if (c == '\r')
                escaped += "\\r";
            else if (c == '\t')
                escaped += "\\t";
            else
                escaped += c;
        }
        return escaped;
    };
    const std::string now_sql = "select pg_catalog.clock_timestamp()";
    const std::string now = co_await session.value(now_sql);
    const auto add = [&](std::string_view kind, const std::string& schema, const std::string& table,
                         const std::string& name, const std::string& arguments,
                         const std::string& definition) {
        rows += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", escape(run_id), escape(now), kind,
                            escape(schema), escape(table), escape(name), escape(arguments), definition);
    };
    for (const model::NaturalKey& key : identities.objects)
        add(model::kind_name(key.kind), key.schema, key.table, key.name, key.arguments,
            identities.definitions[key]);
    for (const Identities::Element& element : identities.elements)
        add(element_kind, element.schema, element.relation, element.name, "", "");
    for (const auto& [key, mark] : identities.comments)
        add(comment_on + std::string(model::kind_name(key.kind)), key.schema, key.table, key.name,
            key.arguments, mark);
    for (const auto& [element, mark] : identities.column_comments)
        add(comment_on + std::string(element_kind), element.schema, element.relation, element.name, "", mark);
    const std::string empty = "delete from pgsluice.identity";
    co_await session.command(empty);
    const std::string in = "copy pgsluice.identity (run_id, recorded, kind, schema, table_name, name, "
                           "arguments, definition) from stdin";
    pq::CopyIn writer = co_await session.copy_in(in);
    co_await writer.put(rows);
    co_await writer.finish();
}

Task<Identities> read_identities(pq::Connection& session) {
    Identities identities;
    const std::string look = "select pg_catalog.to_regclass('pgsluice.identity') is not null";
    const std::string found = co_await session.value(look);
    if (found != "t") co_return identities;
    const std::string sql =
        "select recorded, kind, schema, table_name, name, arguments, coalesce(pg_catalog.to_jsonb(i) ->> "
        "'definition', '') as definition from pgsluice.identity i"; // one of an older version lacks it
    const pq::Rows rows = co_await session.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        identities.recorded_at = rows.at(i, "recorded");
        std::string_view kind = rows.at(i, "kind");
        const std::string_view mark = rows.at(i, "definition");
        const bool is_comment = kind.starts_with(comment_on);
        if (is_comment) kind.remove_prefix(comment_on.size());
        if (kind == element_kind) {
            Identities::Element element{std::string(rows.at(i, "schema")),
                                        std::string(rows.at(i, "table_name")),
                                        std::string(rows.at(i, "name"))};
            if (is_comment)
                identities.column_comments.emplace(std::move(element), mark);
            else
                identities.elements.insert(std::move(element));
            continue;
        }
        model::NaturalKey key{model::Kind::count_, std::string(rows.at(i, "schema")),
                              std::string(rows.at(i, "table_name")), std::string(rows.at(i, "name")),
                              std::string(rows.at(i, "arguments"))};
        for (std::size_t k = 0; k < model::kind_count; ++k)
            if (model::kind_name(static_cast<model::Kind>(k)) == kind) key.kind = static_cast<model::Kind>(k);
        if (key.kind == model::Kind::count_) continue;
        if (is_comment) {
            identities.comments.emplace(std::move(key), mark);
            continue;
        }
        if (!mark.empty()) identities.definitions.emplace(key, mark);
        identities.objects.insert(std::move(key));
    }
    co_return identities;
}

Task<void> carry_table(pq::Connection& from, pq::Connection& to, std::string table, std::string columns,
                       std::string which) {
    const std::string out =
        "copy (select " + columns + " from pgsluice." + table + " " + which + ") to stdout";
    const std::string in = "copy pgsluice." + table + " (" + columns + ") from stdin";
    pq::CopyOut reader = co_await from.copy_out(out);
    pq::CopyIn writer = co_await to.copy_in(in);
    std::string buffer(std::size_t{64} * 1024, '\0');
    for (std::size_t got = co_await reader.read(buffer.data(), buffer.size()); got > 0;
         got = co_await reader.read(buffer.data(), buffer.size()))
        co_await writer.put(std::string_view(buffer).substr(0, got));
    co_await writer.finish();
}

Task<void> carry_journal(pq::Connection& from, pq::Connection& to) {
    co_await create_journal(to);
    const bool known = co_await has_journal(from);
    if (!known) co_return;
    const std::string empty = "delete from pgsluice.run; delete from pgsluice.mark";
    co_await to.command(empty);
    const std::string last = fmt::format("order by started desc limit {}", runs_kept);
    co_await carry_table(
        from, to, "run",
        "run_id, command, state, source, started, finished, database, previous, previous_oid, report", last);
    co_await carry_table(from, to, "mark",
                         "system_identifier, database, allowed_source_host, allowed_source_database, marked",
                         "");
    const std::string look = "select pg_catalog.to_regclass('pgsluice.rejected') is not null";
    const std::string rejected = co_await from.value(look);
    if (rejected == "t")
        co_await carry_table(from, to, "rejected", "table_name, reason, \"row\", run_id, at",
                             "where run_id in (select run_id from pgsluice.run " + last + ")");
}

} // namespace pgsluice::run
