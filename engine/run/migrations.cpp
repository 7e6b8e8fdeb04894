#include "run/migrations.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

std::string display(const merge::HistoryTable& table) { return "table " + one_line(table.display()); }

bool is_named(const Context& context, const std::string& schema, const std::string& name) {
    const auto& named = context.options.migration_tables;
    return std::any_of(named.begin(), named.end(), [&](const std::string& table) {
        return table == name || table == schema + "." + name;
    });
}

// Tables whose name says that they may be a history, with their columns.
std::string shapes_sql(const Context& context) {
    std::vector<std::string> known, named;
    for (const merge::MigrationTool& tool : merge::migration_tools())
        for (const std::string_view table : tool.tables) known.push_back(pq::quote_literal(table));
    named.push_back("''");
    for (const std::string& table : context.options.migration_tables)
        named.push_back(pq::quote_literal(table));
    const std::string names = join(named, ", ");
    return "select n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, null) as type "
           "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
           "join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
           "where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname not in ('pgsluice', "
           "'information_schema') and n.nspname !~ '^pg_' and (pg_catalog.lower(c.relname) in (" +
           join(known, ", ") + ") or c.relname in (" + names + ") or n.nspname || '.' || c.relname in (" +
           names + ")) order by n.nspname, c.relname, a.attnum";
}

Task<std::vector<merge::TableShape>> read_shapes(Context& context, pq::Connection& session) {
    const std::string sql = shapes_sql(context);
    const pq::Rows rows = co_await session.rows(sql);
    std::vector<merge::TableShape> shapes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string_view schema = rows.at(i, "nspname"), name = rows.at(i, "relname");
        if (shapes.empty() || shapes.back().schema != schema || shapes.back().name != name) {
            shapes.emplace_back();
            shapes.back().schema = schema;
            shapes.back().name = name;
        }
        merge::TableShape::Column column;
        column.name = rows.at(i, "attname");
        column.type = rows.at(i, "type");
        shapes.back().columns.push_back(std::move(column));
    }
    co_return shapes;
}

// A tool's expression for this table: each @column as the table's own, quoted.
std::string expression(const merge::HistoryTable& table, const std::string& text) {
    std::string sql;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '@') {
            sql += text[i++];
            continue;
        }
        std::size_t end = i + 1;
        while (end < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
            ++end;
        const std::string column = table.column(text.substr(i + 1, end - i - 1));
        sql += column.empty() ? "null" : pq::quote_identifier(column);
        i = end;
    }
    return sql.empty() ? "null" : sql;
}

std::string history_sql(const merge::HistoryTable& table) {
    const merge::MigrationTool& tool = table.tool;
    const auto part = [&](const std::string& text) { return expression(table, text); };
    std::string sql = "select (" + part(tool.version) + ")::pg_catalog.text as version, (" +
                      part(tool.description) + ")::pg_catalog.text as description, (" + part(tool.checksum) +
                      ")::pg_catalog.text as checksum, (" + part(tool.success) + ") as success, (" +
                      part(tool.repeatable) + ") as repeatable, (" + part(tool.undone) + ") as undone, (" +
                      part(tool.baseline) + ") as baseline from " +
                      pq::quote_qualified(table.schema, table.name);
    if (!tool.where.empty()) sql += " where " + part(tool.where);
    return sql + " order by " + part(tool.order);
}

Task<merge::History> read_history(pq::Connection& session, merge::HistoryTable table) {
    merge::History history;
    const std::string sql = history_sql(table);
    std::exception_ptr failure;
    try {
        const pq::Rows rows = co_await session.rows(sql);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            merge::Migration migration;
            migration.version = rows.at(i, "version");
            migration.description = rows.at(i, "description");
            migration.checksum = rows.at(i, "checksum");
            migration.success = rows.at(i, "success") == "t";
            migration.repeatable = rows.at(i, "repeatable") == "t";
            migration.undone = rows.at(i, "undone") == "t";
            migration.baseline = rows.at(i, "baseline") == "t";
            history.entries.push_back(std::move(migration));
        }
    } catch (Error& error) {
        error.during("cannot read a migration history").object(display(table));
        failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    history.table = std::move(table);
    co_return history;
}

void refuse_unknown_tables(const Context& context, const Drift& drift) {
    for (const std::string& name : context.options.migration_tables) {
        const auto is_it = [&](const merge::History& history) {
            return name == history.table.name || name == history.table.display();
        };
        if (std::any_of(drift.source.begin(), drift.source.end(), is_it) ||
            std::any_of(drift.target.begin(), drift.target.end(), is_it))
            continue;
        throw Error{ErrorKind::refused, "--migrations names a table that neither side has"}
            .object("table " + one_line(name))
            .hint("name it as it stands in the catalog, with or without its schema: history or app.history");
    }
}

std::vector<report::MigrationItem> items(const std::vector<merge::Migration>& migrations) {
    std::vector<report::MigrationItem> list;
    list.reserve(migrations.size());
    for (const merge::Migration& migration : migrations)
        list.push_back({migration.version, migration.description});
    return list;
}

const char* word(merge::Standing standing) {
    switch (standing) {
    case merge::Standing::equal: return "equal";
    case merge::Standing::source_ahead: return "source ahead";
    case merge::Standing::target_ahead: return "target ahead";
    case merge::Standing::diverged: return "diverged";
    }
    return "";
}

const char* word(merge::DriftAction action) {
    switch (action) {
    case merge::DriftAction::none: return "";
    case merge::DriftAction::source_ahead: return "source's history stands";
    case merge::DriftAction::carry: return "carry";
    case merge::DriftAction::replay: return "replay";
    case merge::DriftAction::migrate: return "migrate";
    case merge::DriftAction::fail: return "fail";
    }
    return "";
}

} // namespace

Task<std::vector<merge::History>> read_histories(Context& context, pq::Connection& session) {
    std::vector<merge::History> histories;
    for (const merge::TableShape& shape : co_await read_shapes(context, session)) {
        const bool named = is_named(context, shape.schema, shape.name);
        std::optional<merge::HistoryTable> table = merge::recognise_history(shape, named);
        if (!table && named)
            throw Error{ErrorKind::refused, "no column of this table looks like the version of a migration"}
                .object("table " + one_line(shape.schema + "." + shape.name))
                .hint("--migrations wants a table with a column such as version, migration_name, name, "
                      "filename or "
                      "script");
        if (!table) continue;
        histories.push_back(co_await read_history(session, std::move(*table)));
    }
    co_return histories;
}

std::string entries_sql(const merge::HistoryTable& table, const std::vector<std::string>& columns) {
    const merge::MigrationTool& tool = table.tool;
    std::string sql = "select ";
    for (std::size_t i = 0; i < columns.size(); ++i)
        sql += fmt::format("{}::pg_catalog.text as c{}, ", pq::quote_identifier(columns[i]), i);
    sql += "(" + expression(table, tool.version) + ")::pg_catalog.text as version, (" +
           expression(table, tool.success) + ") and not (" + expression(table, tool.repeatable) +
           ") and not (" + expression(table, tool.undone) + ") as counts from " +
           pq::quote_qualified(table.schema, table.name);
    if (!tool.where.empty()) sql += " where " + expression(table, tool.where);
    return sql + " order by " + expression(table, tool.order);
}

bool Drift::target_ahead() const {
    return std::any_of(
        differences.begin(), differences.end(), [](const merge::MigrationDifference& difference) {
            const merge::Standing found = merge::standing(difference);
            return found == merge::Standing::target_ahead || found == merge::Standing::diverged;
        });
}

Drift decide_drift(const Context& context, std::vector<merge::History> source,
                   std::vector<merge::History> target, bool may_migrate) {
    Drift drift;
    drift.source = std::move(source);
    drift.target = std::move(target);
    refuse_unknown_tables(context, drift);
    drift.differences = merge::compare_histories(drift.source, drift.target);
    merge::DriftOptions options;
    switch (context.options.drift) {
    case DriftChoice::replay: options.choice = merge::DriftChoice::replay; break;
    case DriftChoice::carry: options.choice = merge::DriftChoice::carry; break;
    case DriftChoice::fail: options.choice = merge::DriftChoice::fail; break;
    }
    options.migrate = may_migrate && !context.options.migrate.empty();
    drift.decision = merge::decide_drift(drift.differences, options);
    return drift;
}

Task<Drift> read_drift(Context& context, pq::Connection& source, pq::Connection& target) {
    std::vector<merge::History> ours = co_await read_histories(context, source);
    std::vector<merge::History> theirs = co_await read_histories(context, target);
    co_return decide_drift(context, std::move(ours), std::move(theirs));
}

void refuse_drift(const Drift& drift) {
    for (std::size_t i = 0; i < drift.differences.size(); ++i) {
        const merge::HistoryDecision& decision = drift.decision.histories[i];
        if (decision.action != merge::DriftAction::fail) continue;
        throw Error{ErrorKind::refused, decision.why}
            .object(display(drift.differences[i].table))
            .detail(merge::describe(drift.differences[i]))
            .hint("pgsluice plan lists them; --drift=replay leaves them to the service's next restart, "
                  "--migrate CMD "
                  "runs the service's own tool");
    }
}

void tell_drift(Context& context, const Drift& drift, std::vector<std::string> staying) {
    context.report.merge.histories = drift_report(drift);
    context.report.merge.applied_again = drift.decision.applied_again;
    for (std::size_t i = 0; i < drift.differences.size(); ++i) {
        const merge::MigrationDifference& difference = drift.differences[i];
        const merge::HistoryDecision& decision = drift.decision.histories[i];
        const std::string name = display(difference.table);
        const std::string what = merge::describe(difference);
        if (decision.action == merge::DriftAction::source_ahead) {
            context.note(name, "the source is ahead: its history stands; " + what);
        } else if (decision.standing == merge::Standing::diverged) {
            context.remark(name, "each side has what the other lacks: " + what,
                           "the service's next start may refuse this history: look at both");
        } else if (decision.action == merge::DriftAction::carry) {
            context.remark(
                name,
                fmt::format("{} entries that only the target has are carried: what they did to rows has "
                            "not been done to the source's",
                            difference.only_target.size()),
                "check the data that these migrations change; " + what);
        }
        if (decision.action == merge::DriftAction::replay && !difference.only_target.empty())
            context.remark(
                name,
                fmt::format("{} migration{} will be applied again at the service's next restart: {}",
                            difference.only_target.size(), difference.only_target.size() == 1 ? "" : "s",
                            what),
                "what only the target has is not carried: pgsluice.pending holds its SQL; --migrate CMD "
                "applies them during the run");
    }
    if (!staying.empty())
        context.remark("--drift=replay",
                       "rows of " + join(staying, ", ") +
                           " are not carried: the migrations that make these tables will be applied again",
                       "they stay in the previous database until the next run; --keep TABLE carries one");
    context.report.merge.staying = std::move(staying);
    if (!context.options.migrate.empty() && drift.decision.action < merge::DriftAction::migrate)
        context.note("--migrate", "the histories name nothing that the source lacks: the command is not run");
}

void tell_waiting(Context& context, const Drift& drift) {
    context.report.merge.histories = drift_report(drift);
    for (const merge::MigrationDifference& difference : drift.differences)
        if (!difference.equal())
            context.note(display(difference.table),
                         merge::describe(difference) +
                             "; migrate the waiting database before its swap, or swap does "
                             "as --drift says");
}

void tell_migrated(Context& context, const Drift& drift) {
    context.report.merge.histories = drift_report(drift);
    for (const merge::MigrationDifference& difference : drift.differences) {
        if (difference.only_target.empty() && difference.different_checksum.empty()) continue;
        context.remark(
            display(difference.table),
            "the new database was migrated, but its history differs from the target's: " +
                merge::describe(difference),
            "the service's next start may apply these again: have the migration record its versions");
    }
}

std::string history_mark(const std::vector<merge::History>& histories) {
    std::string text;
    const auto add = [&text](const std::string& part) { text += std::to_string(part.size()) + ":" + part; };
    for (const merge::History& history : histories) {
        add(history.table.schema);
        add(history.table.name);
        for (const merge::Migration& entry : history.entries) {
            add(entry.version);
            add(entry.checksum);
            add(entry.success ? "t" : "f");
        }
    }
    return fmt::format("{:016x}", stable_hash(text));
}

std::vector<report::HistoryDifference> drift_report(const Drift& drift) {
    std::vector<report::HistoryDifference> list;
    for (std::size_t i = 0; i < drift.differences.size(); ++i) {
        const merge::MigrationDifference& difference = drift.differences[i];
        report::HistoryDifference history;
        history.table = difference.table.display();
        history.tool = difference.table.tool.name;
        history.standing = word(drift.decision.histories[i].standing);
        history.action = word(drift.decision.histories[i].action);
        history.only_source = items(difference.only_source);
        history.only_target = items(difference.only_target);
        history.different_checksum = items(difference.different_checksum);
        history.failed_or_repeatable = items(difference.failed_or_repeatable);
        list.push_back(std::move(history));
    }
    return list;
}

} // namespace pgsluice::run
