#include "run/row_preview.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/late_extras.hpp"
#include "run/row_facts.hpp"
#include "run/row_rounds.hpp"

namespace pgsluice::run {

namespace {

using Role = merge::MergeTable::Role;

// Keys and checks over columns that the target has, too: others cannot be told before the rows are there.
void keep_what_can_be_told(const merge::MergeTable& table, const merge::TableNow& theirs,
                           merge::TableNow& now) {
    const auto made_by = [](const merge::TableNow& side, const std::string& name) {
        return std::any_of(side.generated.begin(), side.generated.end(),
                           [&](const auto& generated) { return generated.first == name; });
    };
    std::erase_if(now.generated, [&](const auto& generated) { return !made_by(theirs, generated.first); });
    const auto unknown = [&](const std::vector<std::string>& needs, bool whole_row) {
        if (whole_row && now.columns != theirs.columns) return true;
        return std::any_of(needs.begin(), needs.end(), [&](const std::string& name) {
            const merge::MergeColumn* column = table.column(name);
            if (column == nullptr && made_by(now, name)) return false;
            return column == nullptr || column->extra;
        });
    };
    std::erase_if(now.keys,
                  [&](const merge::TableNow::Key& key) { return unknown(key.needs, key.whole_row); });
    // Which partition a hash leads to is told by the partitioned table's oid, which only the source has.
    std::erase_if(now.checks, [&](const merge::TableNow::Check& check) {
        return unknown(check.needs, check.whole_row) ||
               (!check.why.empty() && check.expression.find("satisfies_hash_partition") != std::string::npos);
    });
}

// A domain of the source, to be made again; no row: the type is none. Not one over another type of the
// user's.
constexpr std::string_view domain_sql =
    "select pg_catalog.format_type(t.typbasetype, t.typtypmod) as base, t.typnotnull as not_null, (select "
    "pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(r.oid), ' ' order by r.conname) from "
    "pg_catalog.pg_constraint r where r.contypid = t.oid and r.contype = 'c') as checks from "
    "pg_catalog.pg_type t join pg_catalog.pg_type b on b.oid = t.typbasetype and b.oid < 16384 where "
    "t.oid = pg_catalog.to_regtype({}) and t.typtype = 'd'";

class Preview {
public:
    Preview(pq::Connection& source, pq::Connection& target, merge::RowPlan plan)
        : source_(source), target_(target), plan_(std::move(plan)) {}

    Task<std::vector<report::MergedTable>> run() {
        std::vector<merge::TableNow> now = co_await read_tables_now(source_, plan_);
        const std::vector<merge::TableNow> theirs = co_await read_tables_now(target_, plan_);
        co_await make_types();
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (plan_.tables[i].role == Role::extra)
                now[i] = theirs[i];
            else
                keep_what_can_be_told(plan_.tables[i], theirs[i], now[i]);
        }
        const merge::RowSql sql(plan_, std::move(now), "plan", merge::MergePlace::preview);
        RowRounds rounds(target_, sql);
        co_await rounds.send_all(sql.create_common(), 0);
        const std::string key_table =
            "create temporary table pgsluice_key (run_id text, table_schema text, table_name text, "
            "key_columns "
            "text[], natural_columns text[], primary_key text[], natural_key text[])";
        co_await target_.command(key_table);
        for (std::size_t i = 0; i < plan_.tables.size(); ++i)
            if (sql.staged(i) || follows(plan_, plan_.tables[i])) co_await rounds.send_all(sql.create(i), i);
        for (std::size_t i = 0; i < plan_.tables.size(); ++i)
            if (sql.staged(i)) co_await stage(sql, rounds, i);
        co_await rounds.compute();
        co_await rounds.move_extras(following(plan_));
        std::vector<report::MergedTable> lines;
        for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
            const merge::MergeTable& table = plan_.tables[i];
            if (table.role != Role::preserved && !follows(plan_, table)) continue;
            report::MergedTable line = co_await rounds.count(i);
            if (line.preserved || line.repointed + line.rejected + line.nulled > 0)
                lines.push_back(std::move(line));
        }
        co_return lines;
    }

private:
    // The target's types of the same names may take more than those of the planned database.
    Task<void> make_types() {
        std::size_t made = 0;
        for (merge::MergeTable& table : plan_.tables) {
            for (merge::MergeColumn& column : table.columns) {
                if (!column.may_not_fit || column.type.find('.') == std::string::npos) continue;
                const std::string name = fmt::format("pg_temp.pgsluice_type_{}", made++);
                std::string make;
                if (column.labels.empty()) {
                    make = co_await domain(column.type, name);
                } else {
                    for (const std::string& label : column.labels)
                        make += (make.empty() ? "" : ", ") + pq::quote_literal(label);
                    make = "create type " + name + " as enum (" + make + ")";
                }
                if (make.empty()) continue;
                co_await target_.command(make);
                column.stand_in = name + (column.type.ends_with("[]") ? "[]" : "");
            }
        }
    }

    Task<std::string> domain(std::string type, std::string name) {
        const std::string sql = fmt::format(domain_sql, pq::quote_literal(type));
        const pq::Rows rows = co_await source_.rows(sql);
        if (rows.empty()) co_return std::string{};
        std::string made = "create domain " + name + " as " + std::string(rows.at(0, "base"));
        if (rows.at(0, "not_null") == "t") made += " not null";
        if (const auto checks = rows.get(0, "checks")) made += " " + std::string(*checks);
        co_return made;
    }

    Task<void> stage(const merge::RowSql& sql, RowRounds& rounds, std::size_t i) {
        std::string columns;
        for (const std::string& name : sql.source_columns(i))
            columns += (columns.empty() ? "" : ", ") + pq::quote_identifier(name);
        const std::string query = "select " + columns + " from " + sql.real(i);
        const std::string into = sql.source_rows(i) + " (" + columns + ")";
        co_await copy_across(source_, query, target_, into);
        co_await rounds.send("analyze " + sql.source_rows(i), i);
        co_await rounds.send_all(sql.fill_raw(i), i);
        const merge::MergeTable& table = plan_.tables[i];
        if (table.role != Role::preserved) co_return;
        co_await rounds.send_all(sql.record_keys(i), i);
        const std::string look = "select pg_catalog.to_regclass('pgsluice.key') is not null";
        const std::string known = co_await target_.value(look);
        if (known != "t") co_return;
        const std::string record =
            fmt::format("insert into {} select key_columns, natural_columns, primary_key, natural_key from "
                        "pgsluice.key where table_schema = {} and table_name = {}",
                        sql.was(i), pq::quote_literal(table.name.schema), pq::quote_literal(table.name.name));
        co_await rounds.send(record, i);
    }

    pq::Connection& source_;
    pq::Connection& target_;
    merge::RowPlan plan_;
};

} // namespace

Task<RowPreview> preview_rows(pq::Connection& source, pq::Connection& target, merge::RowPlan plan) {
    RowPreview preview;
    if (plan.references.empty() &&
        std::none_of(plan.tables.begin(), plan.tables.end(),
                     [](const auto& table) { return table.role == Role::preserved; }))
        co_return preview;
    const std::string begin = "begin isolation level repeatable read, read write", rollback = "rollback";
    co_await target.command(begin);
    Preview work(source, target, std::move(plan));
    std::exception_ptr failure;
    try {
        preview.tables = co_await work.run();
    } catch (const Error& error) {
        if (target.broken() || source.broken()) throw;
        preview.unknown = one_line(error.what());
    }
    co_await target.command(rollback);
    co_return preview;
}

} // namespace pgsluice::run
