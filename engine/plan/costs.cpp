#include <algorithm>

#include "plan/measure.hpp"

namespace pgsluice::plan {

namespace {

using graph::Part;
using model::Kind;

// In bytes copied.
constexpr double statement_cost = 64.0 * 1024;         // a round trip and a catalog change
constexpr double analyze_cost_max = 8.0 * 1024 * 1024; // a sample, whatever the size
constexpr double cost_per_key_column = 0.6;
constexpr double cost_of_gin_or_gist = 1.5;
constexpr double cost_of_validating = 0.3;

bool uses_method(std::string_view sql, std::string_view method) {
    return sql.find("USING " + std::string(method) + " ") != std::string_view::npos;
}

// The place after a quoted name or literal that begins at `at`.
std::size_t skip_quoted(std::string_view sql, std::size_t at) {
    const std::size_t end = sql.find(sql[at], at + 1);
    return end == std::string_view::npos ? sql.size() : end;
}

} // namespace

int key_columns(std::string_view sql) {
    int depth = 0;
    int columns = 1;
    for (std::size_t at = 0; at < sql.size(); ++at) {
        const char c = sql[at];
        if (c == '"' || c == '\'') at = skip_quoted(sql, at);
        if (c == '(') ++depth;
        if (c == ')' && --depth == 0) break;
        if (c == ',' && depth == 1) ++columns;
    }
    return columns;
}

TaskKind task_kind(const graph::Entry& entry, const Catalog& catalog, bool adopts) {
    switch (entry.part) {
    case Part::rows: return TaskKind::copy;
    case Part::build_index: return TaskKind::index;
    case Part::validate: return TaskKind::validate;
    case Part::analyze: return TaskKind::analyze;
    case Part::refresh: return TaskKind::refresh;
    case Part::merge: return TaskKind::merge;
    case Part::create: break;
    default: return TaskKind::ddl;
    }
    if (adopts || (entry.kind != Kind::index && entry.kind != Kind::constraint)) return TaskKind::ddl;
    // A partitioned table's index is an empty shell until its partitions' are attached.
    const model::CatalogId table = catalog.relation_of(entry.object);
    const bool has_rows =
        catalog.database().rows_of(table) != nullptr || catalog.is(table, Kind::materialized_view);
    return has_rows ? TaskKind::index : TaskKind::ddl;
}

std::uint64_t bytes_of(const graph::Entry& entry, TaskKind kind, const Catalog& catalog) {
    std::uint64_t bytes = 0;
    switch (kind) {
    case TaskKind::copy:
        if (const model::TableRows* rows = catalog.database().rows_of(entry.object); rows != nullptr)
            bytes = rows->bytes;
        return bytes;
    case TaskKind::index:
    case TaskKind::validate: return catalog.bytes_of(catalog.relation_of(entry.object));
    case TaskKind::refresh:
        for (const model::CatalogId table : catalog.tables_read(entry.object))
            bytes += catalog.bytes_of(table);
        return bytes;
    case TaskKind::ddl:
    case TaskKind::merge:
    case TaskKind::analyze: return 0;
    }
    return 0;
}

double cost_of(const graph::Entry& entry, TaskKind kind, std::uint64_t bytes) {
    const auto amount = static_cast<double>(bytes);
    switch (kind) {
    case TaskKind::ddl: return entry.sql.empty() ? 0 : statement_cost;
    case TaskKind::copy:
    case TaskKind::refresh: return statement_cost + amount;
    case TaskKind::index: {
        const bool slow = uses_method(entry.sql, "gin") || uses_method(entry.sql, "gist");
        return statement_cost +
               amount * cost_per_key_column * key_columns(entry.sql) * (slow ? cost_of_gin_or_gist : 1.0);
    }
    case TaskKind::validate: return statement_cost + amount * cost_of_validating;
    case TaskKind::merge: return statement_cost;
    case TaskKind::analyze: return std::min(statement_cost + amount, analyze_cost_max);
    }
    return statement_cost;
}

} // namespace pgsluice::plan
