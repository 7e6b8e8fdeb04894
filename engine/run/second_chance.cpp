#include "run/second_chance.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "kinds/descriptor.hpp"
#include "merge/merge.hpp"
#include "pq/quote.hpp"
#include "run/refusal.hpp"

namespace pgsluice::run {

namespace {

// The server's reason; empty: it worked.
Task<std::string> try_sql(pq::Connection& inside, std::string sql) {
    const std::string whole = "begin;\n" + sql + "\ncommit";
    std::string reason;
    try {
        co_await inside.command(whole, limits::statement_wait_max);
    } catch (const Error& error) {
        if (inside.broken() || !refuses_the_object(error)) throw;
        reason = one_line(error.message() + " [" + error.sqlstate() + "]");
    }
    const std::string rollback = "rollback";
    if (!reason.empty()) co_await inside.command(rollback);
    co_return reason;
}

constexpr std::string_view validation_of = "validation of "; // as not_made.cpp names it

// The shared table whose columns, or their NOT NULLs, the item could not add.
const model::Object* refused_columns(const model::Database& planned, const merge::Pending& item) {
    if (item.key.kind != model::Kind::table) return nullptr;
    const model::Object* table = planned.find(item.key);
    const bool it_is = table != nullptr && !table->extra && table->extra_elements.size() > 1 &&
                       item.name.ends_with(model::display_name(*table)) &&
                       (item.name.starts_with("table ") || item.name.starts_with(validation_of));
    return it_is ? table : nullptr;
}

kinds::Ddl write_alone(const model::Database& planned, const model::Object& table, const std::string& column,
                       int version) {
    model::Object alone = table;
    alone.extra_elements = {column};
    const kinds::Shape shape;
    const kinds::Context context{.database = planned, .shape = shape, .target_version = version};
    kinds::Ddl ddl = kinds::descriptor(alone.kind).write(alone, context);
    alone.comment.reset();
    std::erase_if(alone.column_comments, [&](const auto& of) { return of.first != column; });
    if (!alone.column_comments.empty()) ddl.add_elements += "\n" + kinds::comment_ddl(alone);
    return ddl;
}

Task<bool> has_column(pq::Connection& inside, const model::Object& table, std::string column) {
    const std::string sql =
        "select count(*) from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid "
        "join "
        "pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = " +
        pq::quote_literal(table.schema) + " and c.relname = " + pq::quote_literal(table.name) +
        " and a.attname = " + pq::quote_literal(column) + " and a.attnum > 0 and not a.attisdropped";
    const std::string found = co_await inside.value(sql);
    co_return found != "0";
}

Task<void> try_columns(pq::Connection& inside, const model::Database& planned, const model::Object& table,
                       std::vector<merge::Pending>& left) {
    // The statements of other extra columns are not to be among those of one.
    const std::vector<std::string> columns = table.extra_elements;
    for (const std::string& column : columns) {
        const kinds::Ddl ddl = write_alone(planned, table, column, inside.server_version());
        merge::Pending item;
        item.key = {table.kind, table.schema, table.name, column, ""};
        item.name = one_line("column " + column + " of ") + model::display_name(table);
        item.sql = ddl.add_elements;
        const bool there = co_await has_column(inside, table, column);
        if (!there && !item.sql.empty()) item.reason = co_await try_sql(inside, item.sql);
        if (item.reason.empty() && !ddl.validate.empty()) {
            item.name = std::string(validation_of) + item.name;
            item.sql = ddl.validate;
            item.reason = co_await try_sql(inside, item.sql);
        }
        if (!item.reason.empty()) left.push_back(std::move(item));
    }
}

// What was skipped, in the plan's order. Not tables: their rows are past.
Task<void> try_skipped(pq::Connection& inside, std::vector<merge::Pending>& items) {
    std::vector<merge::Pending> left;
    for (merge::Pending& item : items) {
        const bool skipped = item.reason.starts_with("needs ") && item.key.kind != model::Kind::table;
        std::string reason = item.reason;
        if (skipped && !item.sql.empty()) reason = co_await try_sql(inside, item.sql);
        if (reason.empty()) continue;
        if (skipped) item.reason = reason;
        left.push_back(std::move(item));
    }
    items = std::move(left);
}

} // namespace

Task<void> add_columns_alone(pq::Connection& inside, const model::Database& planned,
                             const model::Object& table) {
    const std::vector<std::string> columns = table.extra_elements;
    for (const std::string& column : columns) {
        const kinds::Ddl ddl = write_alone(planned, table, column, inside.server_version());
        if (!ddl.add_elements.empty()) (void)co_await try_sql(inside, ddl.add_elements);
    }
}

Task<void> try_single_columns(pq::Connection& inside, const model::Database& planned, NotMade& lacking) {
    std::vector<merge::Pending> left;
    std::vector<std::string> tables;
    for (merge::Pending& item : lacking.pending) {
        if (const model::Object* table = refused_columns(planned, item); table != nullptr) {
            const std::string name = model::display_name(*table);
            if (std::find(tables.begin(), tables.end(), name) != tables.end()) continue;
            tables.push_back(name);
            co_await try_columns(inside, planned, *table, left);
            continue;
        }
        left.push_back(std::move(item));
    }
    lacking.pending = std::move(left);
    if (tables.empty()) co_return;
    // Each column has had its own.
    std::erase_if(lacking.pending, [&](const merge::Pending& item) {
        return std::any_of(tables.begin(), tables.end(),
                           [&](const std::string& table) { return item.name == "validation of " + table; });
    });
    co_await try_skipped(inside, lacking.pending);
}

} // namespace pgsluice::run
