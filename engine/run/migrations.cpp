#include "run/migrations.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using Name = std::pair<std::string, std::string>; // schema, table

constexpr std::string_view flyway_table = "flyway_schema_history";

bool is_history(const Context& context, const model::TableRows& table) {
    if (table.name == flyway_table) return true;
    const auto& named = context.options.migration_tables;
    return std::any_of(named.begin(), named.end(), [&](const std::string& name) {
        return name == table.name || name == table.schema + "." + table.name;
    });
}

// Flyway's columns; a table that --migrations names without having them is a mistake worth an error.
bool has_columns(const model::TableRows& table) {
    for (const char* column : {"version", "description", "type", "checksum", "success"})
        if (std::find(table.columns.begin(), table.columns.end(), column) == table.columns.end())
            return false;
    return true;
}

Task<std::vector<merge::Migration>> read_history(pq::Connection& session, const model::TableRows& table) {
    if (!has_columns(table))
        throw Error{ErrorKind::refused, "a migration history does not have Flyway's columns"}
            .object("table " + one_line(table.schema + "." + table.name))
            .hint("this version knows Flyway's history: version, description, type, checksum, success");
    const std::string sql =
        "select version::pg_catalog.text as version, description::pg_catalog.text as description, "
        "checksum::pg_catalog.text as checksum, success from " +
        pq::quote_qualified(table.schema, table.name) +
        " where type::pg_catalog.text not in ('SCHEMA') order by installed_rank";
    const pq::Rows rows = co_await session.rows(sql);
    std::vector<merge::Migration> history;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        merge::Migration migration;
        migration.version = rows.at(i, "version");
        migration.description = rows.at(i, "description");
        migration.checksum = rows.at(i, "checksum");
        migration.success = rows.at(i, "success") == "t";
        migration.repeatable = !rows.get(i, "version").has_value();
        history.push_back(std::move(migration));
    }
    co_return history;
}

const model::TableRows* find_table(const model::Database& database, const Name& name) {
    for (const model::TableRows& table : database.rows)
        if (table.schema == name.first && table.name == name.second) return &table;
    return nullptr;
}

} // namespace

Task<std::vector<merge::MigrationDifference>> compare_migrations(Context& context, pq::Connection& source,
                                                                 pq::Connection& target,
                                                                 const model::Database& source_database,
                                                                 const model::Database& target_database) {
    std::set<Name> names;
    for (const model::Database* database : {&source_database, &target_database})
        for (const model::TableRows& table : database->rows)
            if (is_history(context, table)) names.emplace(table.schema, table.name);
    std::vector<merge::MigrationDifference> differences;
    for (const Name& name : names) {
        std::vector<merge::Migration> ours, theirs;
        if (const model::TableRows* table = find_table(source_database, name))
            ours = co_await read_history(source, *table);
        if (const model::TableRows* table = find_table(target_database, name))
            theirs = co_await read_history(target, *table);
        differences.push_back(merge::compare_migrations(name.first + "." + name.second, ours, theirs));
    }
    co_return differences;
}

} // namespace pgsluice::run
