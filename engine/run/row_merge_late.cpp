// What changed on the target during the run, under the locks. The rounds begin anew with all rows as they are
// now: what is there then is what one merge at this moment would have made, but for keys that were given.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/row_facts.hpp"
#include "run/row_merge.hpp"

namespace pgsluice::run {

namespace {

using Role = merge::MergeTable::Role;

constexpr int attempts_max = 20; // foreign keys that rows break are found one by one

std::string moved_keys_table(std::size_t r) { return fmt::format("pg_temp.pgsluice_moved_{}", r); }

} // namespace

Task<void> RowMerge::merge_late() {
    std::vector<TargetRows::Changes> changes(plan_.tables.size());
    const std::vector<WatchedTable> tables_watched = watched();
    std::uint64_t rows = 0;
    bool any = false;
    for (std::size_t i = 0, w = 0; i < plan_.tables.size(); ++i) {
        if (plan_.tables[i].role == Role::referenced) continue;
        changes[i] = co_await target_.find_changes(tables_watched[w++]);
        rows += changes[i].changed + changes[i].deleted;
        any = any || changes[i].any();
    }
    if (!any) co_return;
    context_.step("merging rows that changed during the run");
    std::set<ForeignKeyName> aside = co_await QuietTables::acting_on(inside_, tables());
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const bool done = co_await late_attempt(changes, aside);
        if (!done) continue;
        context_.report.merge.late_rows = rows;
        co_await report_counts();
        co_await note_materialized_views();
        co_return;
    }
    throw Error{ErrorKind::target, "rows that changed during the run break too many foreign keys"};
}

// False: a foreign key is in the way, and is put aside now.
Task<bool> RowMerge::late_attempt(const std::vector<TargetRows::Changes>& changes,
                                  std::set<ForeignKeyName>& aside) {
    QuietTables quiet = co_await QuietTables::begin(inside_, tables(), aside);
    std::optional<Error> failure;
    try {
        if (merged_) {
            now_ = co_await read_tables_now(inside_, plan_); // there are more keys and checks by now
            co_await read_target_sequences(target_.session(), plan_, now_);
            sql_.emplace(plan_, now_, context_.run_id);
        } else {
            co_await prepare();
        }
        for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
            if (!sql_->staged(i)) continue;
            co_await send_all(sql_->keep_prior(i), i);
            if (changes[i].any() || plan_.tables[i].role == Role::referenced || !merged_) co_await stage(i);
        }
        co_await compute();
        co_await put_preserved();
        for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
            if (sql_->staged(i)) continue;
            co_await stage_late_extra(i, changes[i]);
            co_await put_extra(i);
        }
        co_await quiet.commit();
    } catch (const Error& error) {
        if (error.sqlstate() != "23503") throw;
        failure = error;
    }
    if (failure) {
        co_await quiet.rollback();
        const std::set<ForeignKeyName> broken = co_await QuietTables::broken(inside_, *failure, tables());
        const std::size_t before = aside.size();
        aside.insert(broken.begin(), broken.end());
        if (aside.size() == before) throw *failure;
        co_return false;
    }
    co_await validate(quiet.to_validate());
    co_return true;
}

// Rows of the extra that changed, and those that refer to a row that became another one since.
Task<void> RowMerge::stage_late_extra(std::size_t i, const TargetRows::Changes& changes) {
    const std::vector<WatchedTable> all = watched();
    const merge::MergeTable& table = plan_.tables[i];
    const WatchedTable* watched_table = nullptr;
    for (const WatchedTable& one : all)
        if (one.schema == table.name.schema && one.name == table.name.name) watched_table = &one;
    const bool moved = co_await copy_moved_keys(i);
    const bool whole = table.row_key.empty() && (changes.any() || moved);
    co_await send_all(sql_->create(i), i);
    if (changes.any() || whole) {
        const std::string out = "copy (" + target_.changed_rows_sql(*watched_table) + ") to stdout";
        co_await copy(out, sql_->copy_in(i), i);
    }
    if (moved && !whole) {
        for (std::size_t r = 0; r < plan_.references.size(); ++r) {
            const bool ours = plan_.references[r].child == table.name;
            if (!ours || !sql_->staged(sql_->index_of(plan_.references[r].parent))) continue;
            const std::string out = sql_->referring_rows(r, moved_keys_table(r));
            co_await copy(out, sql_->copy_in(i), i);
        }
        co_await send_all(sql_->once_each(i), i);
    }
    co_await send_all(sql_->fill(i), i);
    co_await send("update " + sql_->rows(i) + " set \"pgsluice state\" = 'a'", i);
    if (table.row_key.empty()) {
        if (whole) co_await send_all(sql_->remove_gone(i), i);
        co_return;
    }
    co_await send_all(sql_->collect_gone(i), i);
    if (changes.any()) {
        const std::string out = "copy (" + target_.deleted_keys_sql(*watched_table) + ") to stdout";
        const std::string in = "copy " + sql_->gone(i) + " from stdin";
        co_await copy(out, in, i);
    }
    co_await send_all(sql_->remove_gone(i), i);
}

// Keys that lead elsewhere than before, into temporary tables of the target's session.
Task<bool> RowMerge::copy_moved_keys(std::size_t i) {
    bool any = false;
    for (std::size_t r = 0; r < plan_.references.size(); ++r) {
        const merge::Reference& reference = plan_.references[r];
        if (reference.child != plan_.tables[i].name || !sql_->staged(sql_->index_of(reference.parent)))
            continue;
        std::string columns;
        for (std::size_t k = 0; k < reference.parent_columns.size(); ++k)
            columns += fmt::format("{}k{} text", k == 0 ? "" : ", ", k);
        const std::string make = "drop table if exists " + moved_keys_table(r) + "; create temporary table " +
                                 moved_keys_table(r).substr(std::string_view("pg_temp.").size()) + " (" +
                                 columns + ")";
        co_await target_.session().command(make);
        pq::CopyOut reader = co_await inside_.copy_out(sql_->moved_keys(r));
        pq::CopyIn writer = co_await target_.session().copy_in("copy " + moved_keys_table(r) + " from stdin");
        std::string buffer(64 * 1024, '\0');
        std::size_t got = co_await reader.read(buffer.data(), buffer.size());
        while (got > 0) {
            co_await writer.put(std::string_view(buffer.data(), got));
            got = co_await reader.read(buffer.data(), buffer.size());
        }
        const std::uint64_t keys = co_await writer.finish();
        any = any || keys > 0;
    }
    co_return any;
}

// A foreign key that was put aside for its actions, or since rows of extras break it, stays NOT VALID then.
Task<void> RowMerge::validate(std::set<ForeignKeyName> keys) {
    for (const ForeignKeyName& key : keys) {
        const std::string sql = "alter table " + pq::quote_qualified(key.table.schema, key.table.name) +
                                " validate constraint " + pq::quote_identifier(key.name);
        std::optional<Error> failure;
        try {
            co_await inside_.command(sql, limits::statement_wait_max);
        } catch (const Error& error) {
            if (error.sqlstate() != "23503") throw;
            failure = error;
        }
        if (failure)
            context_.remark("foreign key " + one_line(key.name) + " on " +
                                one_line(key.table.schema + "." + key.table.name),
                            "is NOT VALID: rows that changed during the run break it",
                            "the next run tries again");
    }
}

} // namespace pgsluice::run
