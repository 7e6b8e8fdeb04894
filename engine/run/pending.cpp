#include "run/pending.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "merge/column_types.hpp"
#include "pq/quote.hpp"
#include "run/journal.hpp"
#include "run/reading.hpp"
#include "run/refusal.hpp"

namespace pgsluice::run {

namespace {

using pq::quote_literal;

constexpr std::string_view columns =
    "kind, schema, table_name, name, arguments, object, reason, why, sql, run_id, since, last_tried";

std::string same_line(const std::string& why, const std::string& object) {
    return "why = " + quote_literal(why) + " and object = " + quote_literal(object);
}

Task<bool> has_table(pq::Connection& session, std::string name) {
    const std::string sql = "select pg_catalog.to_regclass('pgsluice." + name + "') is not null";
    const std::string found = co_await session.value(sql);
    co_return found == "t";
}

// Made by somebody on the target in the meantime, and carried as an extra.
bool is_there_as_extra(const model::Database& planned, const model::NaturalKey& key) {
    const model::Object* object = planned.find(key);
    return object != nullptr && (object->extra || !object->extra_elements.empty());
}

bool says_it_exists(const std::string& sqlstate) {
    constexpr std::array<std::string_view, 5> codes = {"42P06", "42P07", "42701", "42710", "42723"};
    return std::find(codes.begin(), codes.end(), sqlstate) != codes.end();
}

model::NaturalKey key_of(const pq::Rows& rows, std::size_t at) {
    model::NaturalKey key{model::Kind::count_, std::string(rows.at(at, "schema")),
                          std::string(rows.at(at, "table_name")), std::string(rows.at(at, "name")),
                          std::string(rows.at(at, "arguments"))};
    for (std::size_t k = 0; k < model::kind_count; ++k)
        if (model::kind_name(static_cast<model::Kind>(k)) == rows.at(at, "kind"))
            key.kind = static_cast<model::Kind>(k);
    return key;
}

struct Line {
    std::string object, sql;
    model::NaturalKey key;
};

// Made by the server with the partition that it is of. What has a name of its own and nothing else is no
// proof.
Task<bool> is_there_with_table(pq::Connection& session, model::NaturalKey key) {
    std::string sql;
    if (key.kind == model::Kind::index)
        sql = "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
              "c.relnamespace where c.relispartition and c.relkind in ('i', 'I') and c.relname = ";
    else if (key.kind == model::Kind::constraint || key.kind == model::Kind::foreign_key)
        sql = "select count(*) from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = "
              "k.conrelid "
              "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relispartition and c.relname "
              "= " +
              quote_literal(key.table) + " and k.conname = ";
    else
        co_return false;
    sql += quote_literal(key.name) + " and n.nspname = " + quote_literal(key.schema);
    const std::string found = co_await session.value(sql);
    co_return found != "0";
}

// Empty: it worked.
Task<std::string> try_line(pq::Connection& session, Line line, bool may_be_there) {
    const std::string begin = "begin", commit = "commit", rollback = "rollback";
    const std::string gone = "delete from pgsluice.pending where " + same_line("cannot", line.object);
    std::string reason;
    bool there = false, refused_as_there = false;
    co_await session.command(begin);
    try {
        co_await session.command(line.sql, limits::statement_wait_max);
        co_await session.command(gone);
        co_await session.command(commit);
    } catch (const Error& error) {
        if (session.broken() || !refuses_the_object(error)) throw;
        refused_as_there = says_it_exists(error.sqlstate());
        there = may_be_there && refused_as_there;
        reason = one_line(error.message() + " [" + error.sqlstate() + "]");
    }
    if (reason.empty()) co_return reason;
    co_await session.command(rollback);
    if (refused_as_there && !there) there = co_await is_there_with_table(session, line.key);
    if (there) {
        co_await session.command(gone);
        co_return std::string{};
    }
    const std::string tried = "update pgsluice.pending set reason = " + quote_literal(reason) +
                              ", last_tried = pg_catalog.clock_timestamp() where " +
                              same_line("cannot", line.object);
    co_await session.command(tried);
    co_return reason;
}

} // namespace

std::string_view why_name(merge::Pending::Why why) {
    switch (why) {
    case merge::Pending::Why::cannot: return "cannot";
    case merge::Pending::Why::drift: return "drift";
    case merge::Pending::Why::migration: return "migration";
    }
    return "";
}

void tell_pending(Context& context, const std::vector<merge::Pending>& items) {
    std::size_t drift = 0;
    for (const merge::Pending& item : items) {
        context.report.merge.pending.push_back({item.name, item.reason, item.sql});
        if (item.why == merge::Pending::Why::drift) {
            ++drift;
            continue;
        }
        const bool tried = item.why == merge::Pending::Why::cannot && !item.sql.empty();
        context.remark(item.name, "not carried: " + item.reason,
                       tried ? "pgsluice pending prints it; each later run tries it again"
                             : "pgsluice pending prints it",
                       item.sql);
    }
    if (drift > 0)
        context.note("pgsluice.pending",
                     fmt::format("keeps the target's definitions of {} shared objects that differ", drift));
}

void tell_carried(Context& context, const model::Database& planned,
                  const std::vector<merge::Pending>& not_made) {
    std::set<std::string> lacking;
    for (const merge::Pending& item : not_made) lacking.insert(item.name);
    for (const model::Object& object : planned.objects) {
        const std::string name = model::display_name(object);
        const model::Object* table = planned.find({model::Kind::table, object.schema, "", object.table, ""});
        if (table != nullptr && table->extra && lacking.contains(model::display_name(*table))) continue;
        if (object.extra && !lacking.contains(name)) context.report.merge.carried.push_back(name);
        for (const std::string& element : object.extra_elements)
            context.report.merge.carried.push_back(carried_element(object, element));
    }
}

std::string carried_element(const model::Object& object, const std::string& element) {
    return one_line(element + " of ") + model::display_name(object);
}

Task<void> carry_pending(pq::Connection& from, pq::Connection& to, bool migrations) {
    const bool known = co_await has_table(from, "pending");
    if (!known) co_return;
    const std::string which = migrations ? "" : "where why <> 'migration'";
    co_await carry_table(from, to, "pending", std::string(columns), which);
}

Task<void> write_pending(pq::Connection& session, std::string run_id, std::vector<merge::Pending> items) {
    if (items.empty()) co_return;
    std::string sql = "begin;\n";
    for (const merge::Pending& item : items) {
        const std::string why(why_name(item.why));
        sql += fmt::format(
            "insert into pgsluice.pending ({}) values ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
            "pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp()) on conflict (why, object) do update "
            "set "
            "reason = excluded.reason, sql = excluded.sql, run_id = excluded.run_id, last_tried = "
            "excluded.last_tried;\n",
            columns, quote_literal(model::kind_name(item.key.kind)), quote_literal(item.key.schema),
            quote_literal(item.key.table), quote_literal(item.key.name), quote_literal(item.key.arguments),
            quote_literal(item.name), quote_literal(item.reason), quote_literal(why), quote_literal(item.sql),
            quote_literal(run_id));
    }
    sql += "commit";
    co_await session.command(sql);
}

Task<void> try_pending(Context& context, pq::Connection& session, const model::Database& planned) {
    const std::string sql = "select kind, schema, table_name, name, arguments, object, sql, reason from "
                            "pgsluice.pending where why = 'cannot' and sql <> '' and run_id <> " +
                            quote_literal(context.run_id) + " order by since, object";
    const pq::Rows rows = co_await session.rows(sql);
    const merge::ColumnTypes column_types(planned);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Line line{std::string(rows.at(i, "object")), std::string(rows.at(i, "sql")), key_of(rows, i)};
        // The server would take it, and the next run's rows would not fit.
        const model::Object* owner = planned.find({line.key.kind, line.key.schema, {}, line.key.table, {}});
        const bool waits_for_type = rows.at(i, "reason").find(merge::type_in_use) != std::string_view::npos;
        if (waits_for_type && owner != nullptr && column_types.contains(owner->id)) continue;
        const std::string reason = co_await try_line(session, line, is_there_as_extra(planned, line.key));
        if (reason.empty()) {
            context.report.merge.carried.push_back(line.object);
            context.note(line.object, "waited in pgsluice.pending and is there now");
            continue;
        }
        context.report.merge.pending.push_back({line.object, reason, line.sql});
        context.note(line.object, "still waits in pgsluice.pending: " + reason);
    }
}

Task<std::vector<report::PendingLine>> read_pending(pq::Connection& session) {
    std::vector<report::PendingLine> lines;
    const bool known = co_await has_table(session, "pending");
    if (!known) co_return lines;
    const std::string sql =
        "select object, reason, why, sql, run_id, since, last_tried from pgsluice.pending order "
        "by why, since, object";
    const pq::Rows rows = co_await session.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        report::PendingLine line;
        line.object = rows.at(i, "object");
        line.reason = rows.at(i, "reason");
        line.why = rows.at(i, "why");
        line.sql = rows.at(i, "sql");
        line.run_id = rows.at(i, "run_id");
        line.since = rows.at(i, "since");
        line.last_tried = rows.at(i, "last_tried");
        lines.push_back(std::move(line));
    }
    co_return lines;
}

Task<std::vector<report::RejectedLine>> read_rejected(pq::Connection& session) {
    std::vector<report::RejectedLine> counts;
    const bool known = co_await has_table(session, "rejected");
    if (!known) co_return counts;
    const std::string sql =
        "select table_name, reason, count(*) as rows from pgsluice.rejected group by 1, 2 order "
        "by 1, 2";
    const pq::Rows rows = co_await session.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        report::RejectedLine line;
        line.table = rows.at(i, "table_name");
        line.reason = rows.at(i, "reason");
        const std::string_view count = rows.at(i, "rows");
        std::from_chars(count.data(), count.data() + count.size(), line.rows);
        counts.push_back(std::move(line));
    }
    co_return counts;
}

} // namespace pgsluice::run
