#include "run/late_merge.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/late_extras.hpp"
#include "run/pending.hpp"
#include "run/quiet_tables.hpp"
#include "run/stale_views.hpp"

namespace pgsluice::run {

namespace {

using merge::TableName;

constexpr int attempts_max = 50;

bool among(const TableName& table, const std::vector<TableName>& tables) {
    return std::find(tables.begin(), tables.end(), table) != tables.end();
}

// What one attempt at the transaction is made of.
struct Attempt {
    std::vector<TableName> tables;  // all that it touches
    std::set<ForeignKeyName> aside; // set aside so far
    bool replace = false;
};

Task<std::optional<Error>> try_once(pq::Connection& inside, LateExtras& extras, const LateRows& preserved,
                                    const Attempt& attempt, std::set<ForeignKeyName>& to_validate) {
    std::optional<Error> failure;
    std::optional<QuietTables> quiet;
    try {
        quiet = co_await QuietTables::begin(inside, attempt.tables, attempt.aside);
        if (preserved.apply) co_await preserved.apply();
        co_await extras.apply(attempt.replace);
        co_await quiet->commit();
        to_validate = quiet->to_validate();
    } catch (const Error& error) {
        if (inside.broken()) throw;
        failure = error;
    }
    const std::string rollback = "rollback";
    if (failure) co_await inside.command(rollback);
    co_return failure;
}

// Foreign keys that somebody's rows of the source hang on rest from the start where rows go: an action of
// theirs would change the source's rows.
Task<std::set<ForeignKeyName>> actions_on_others(pq::Connection& inside, const LateExtras& extras,
                                                 const std::vector<WatchedTable>& watched) {
    std::vector<TableName> ours;
    ours.reserve(watched.size());
    for (const WatchedTable& table : watched) ours.push_back({table.schema, table.name});
    std::set<ForeignKeyName> others;
    const std::vector<TableName> shrinking = extras.shrinking();
    if (shrinking.empty()) co_return others;
    const std::set<ForeignKeyName> acting = co_await QuietTables::acting_on(inside, shrinking);
    for (const ForeignKeyName& key : acting)
        if (!among(key.table, ours)) others.insert(key);
    co_return others;
}

// What to do otherwise after a failure; whether there is anything.
Task<bool> change_ways(pq::Connection& inside, const LateExtras& extras,
                       const std::vector<TableName>& preserved, const Error& failure, Attempt& attempt) {
    const std::vector<TableName> changed = extras.changed();
    const std::string& code = failure.sqlstate();
    std::set<ForeignKeyName> more;
    if (code == "23503" || code == "23001") {
        more = co_await QuietTables::broken(inside, failure, attempt.tables);
        // A preserved table's rows are mended or rejected by those who merge them.
        std::erase_if(more, [&](const ForeignKeyName& key) { return among(key.table, preserved); });
    } else if ((code == "23505" || code == "23P01") && !attempt.replace) {
        attempt.replace = true;
        more = co_await QuietTables::acting_on(inside, changed);
        attempt.aside.insert(more.begin(), more.end());
        co_return true;
    }
    const std::size_t before = attempt.aside.size();
    attempt.aside.insert(more.begin(), more.end());
    co_return attempt.aside.size() > before;
}

// As not_made() has those that break early: later runs try them again. Which columns, never which keys.
Task<merge::Pending> not_validated(pq::Connection& inside, ForeignKeyName key, std::string sql,
                                   std::string reason) {
    const std::string look =
        "select pg_catalog.pg_get_constraintdef(k.oid) from pg_catalog.pg_constraint k join "
        "pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = "
        "c.relnamespace where n.nspname = " +
        pq::quote_literal(key.table.schema) + " and c.relname = " + pq::quote_literal(key.table.name) +
        " and k.conname = " + pq::quote_literal(key.name);
    std::string definition = co_await inside.value(look);
    definition.resize(std::min(definition.size(), definition.find(" NOT VALID")));
    model::Object object;
    object.kind = model::Kind::foreign_key;
    object.schema = key.table.schema;
    object.table = key.table.name;
    object.name = key.name;
    merge::Pending item;
    item.key = model::natural_key(object);
    item.name = "validation of " + model::display_name(object);
    item.reason = "it stays NOT VALID: " + reason + "; " + one_line(definition);
    item.sql = std::move(sql);
    co_return item;
}

Task<void> validate(Context& context, pq::Connection& inside, std::set<ForeignKeyName> keys) {
    std::vector<merge::Pending> pending;
    for (const ForeignKeyName& key : keys) {
        const std::string sql = "ALTER TABLE ONLY " + pq::quote_qualified(key.table.schema, key.table.name) +
                                " VALIDATE CONSTRAINT " + pq::quote_identifier(key.name) + ";";
        std::string reason;
        try {
            co_await inside.command(sql, limits::statement_wait_max);
        } catch (const Error& error) {
            if (inside.broken() || error.sqlstate() != "23503") throw;
            reason = one_line(error.message() + " [" + error.sqlstate() + "]");
        }
        if (reason.empty()) continue;
        merge::Pending item = co_await not_validated(inside, key, sql, reason);
        pending.push_back(std::move(item));
    }
    tell_pending(context, pending);
    co_await write_pending(inside, context.run_id, pending);
}

// The tables into which rows may have come.
Task<std::vector<TableName>> apply_all(Context& context, pq::Connection& inside, LateExtras& extras,
                                       const std::vector<WatchedTable>& watched, const LateRows& preserved) {
    Attempt attempt;
    attempt.tables = extras.changed();
    std::vector<TableName> others;
    if (preserved.tables) others = preserved.tables();
    attempt.tables.insert(attempt.tables.end(), others.begin(), others.end());
    std::vector<TableName> moving;
    if (preserved.extras) moving = preserved.extras();
    attempt.tables.insert(attempt.tables.end(), moving.begin(), moving.end());
    if (attempt.tables.empty()) co_return attempt.tables;
    attempt.aside = co_await actions_on_others(inside, extras, watched);
    std::vector<TableName> shrinking = moving;
    if (preserved.shrinking) {
        const std::vector<TableName> more = preserved.shrinking();
        shrinking.insert(shrinking.end(), more.begin(), more.end());
    }
    if (!shrinking.empty()) {
        const std::set<ForeignKeyName> acting = co_await QuietTables::acting_on(inside, shrinking);
        attempt.aside.insert(acting.begin(), acting.end());
    }
    std::set<ForeignKeyName> to_validate;
    for (int number = 1;; ++number) {
        std::optional<Error> failure = co_await try_once(inside, extras, preserved, attempt, to_validate);
        if (!failure) break;
        const bool again = co_await change_ways(inside, extras, others, *failure, attempt);
        if (!again || number == attempts_max)
            throw failure->during("cannot take over what was written to the target during the run");
    }
    co_await validate(context, inside, to_validate);
    co_return attempt.tables;
}

} // namespace

Task<void> merge_late(Context& context, TargetRows& target, pq::Connection& inside, LateInput input,
                      LateRows preserved) {
    context.step("locking the target's tables and merging what changed meanwhile");
    co_await target.lock();
    const Fingerprint now = co_await read_fingerprint(target.session(), context.options.lock_timeout);
    refuse_changed_schema(input.at_start, now);
    LateExtras extras(target, inside, input.extras);
    co_await extras.stage();
    if (preserved.stage) {
        const std::function<std::string(const TableName&)> staged = [&extras](const TableName& table) {
            return extras.staged_rows(table);
        };
        co_await preserved.stage(staged);
    }
    std::vector<TableName> changed = co_await apply_all(context, inside, extras, input.extras, preserved);
    co_await set_sequences(target.session(), inside, input.sequences);
    co_await advance_sequences(target.session(), inside, input.shared_sequences);
    co_await note_materialized_views(context, inside, std::move(changed));
    context.report.merge.late_rows += extras.rows();
    co_await extras.finish();
}

} // namespace pgsluice::run
