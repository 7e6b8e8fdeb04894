// What changed on the target during the run, under the locks. The rounds begin anew with all rows as they are
// now: what is there then is what one merge at this moment would have made, but for keys that were given.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/row_facts.hpp"
#include "run/row_merge.hpp"

namespace pgsluice::run {

namespace {

using Role = merge::MergeTable::Role;

std::string moved_keys_table(std::size_t r) { return fmt::format("pg_temp.pgsluice_moved_{}", r); }

} // namespace

LateRows RowMerge::late() {
    LateRows late;
    if (!merged_) return late;
    late.stage = [this](std::function<std::string(const merge::TableName&)>) { return stage_late(); };
    late.tables = [this] {
        std::vector<merge::TableName> names;
        for (const merge::MergeTable& table : plan_.tables)
            if (changed_late_ && table.role == Role::preserved) names.push_back(table.name);
        return names;
    };
    late.extras = [this] {
        std::vector<merge::TableName> names;
        for (const merge::MergeTable& table : plan_.tables)
            if (changed_late_ && follows(plan_, table)) names.push_back(table.name);
        return names;
    };
    late.shrinking = [this] { return shrinking_; };
    late.apply = [this] { return apply_late(); };
    return late;
}

// Only our own staging tables are written: the transaction may be tried again.
Task<void> RowMerge::stage_late() {
    changes_.assign(plan_.tables.size(), {});
    whole_.assign(plan_.tables.size(), false);
    const std::vector<WatchedTable> all = watched();
    std::uint64_t rows = 0;
    for (const WatchedTable& one : all) {
        const std::size_t i = sql_->index_of({one.schema, one.name});
        if (plan_.tables[i].role != Role::preserved && !follows(plan_, plan_.tables[i])) continue;
        changes_[i] = co_await target_.find_changes(one);
        rows += changes_[i].changed + changes_[i].deleted;
        changed_late_ = changed_late_ || changes_[i].any();
    }
    if (!changed_late_) co_return;
    now_ = co_await read_tables_now(inside_, plan_); // there are more keys and checks by now
    co_await read_target_sequences(target_.session(), plan_, now_);
    sql_.emplace(plan_, now_, context_.run_id);
    rounds_.emplace(inside_, *sql_);
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (!sql_->staged(i)) continue;
        co_await rounds_->send_all(sql_->keep_prior(i), i);
        if (changes_[i].any() || plan_.tables[i].role == Role::referenced) co_await stage(i);
    }
    co_await rounds_->compute();
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (plan_.tables[i].role != Role::preserved) continue;
        const std::string sql = sql_->shrinks(i);
        const std::string shrinks = co_await inside_.value(sql, limits::statement_wait_max);
        if (shrinks == "t") shrinking_.push_back(plan_.tables[i].name);
    }
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (follows(plan_, plan_.tables[i])) co_await stage_late_extra(i);
    context_.report.merge.late_rows += rows;
}

Task<void> RowMerge::apply_late() {
    if (!changed_late_) co_return;
    co_await put_preserved();
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (!follows(plan_, plan_.tables[i])) continue;
        if (plan_.tables[i].row_key.empty() && !whole_[i]) continue;
        co_await rounds_->send_all(sql_->remove_gone(i), i);
    }
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (follows(plan_, plan_.tables[i])) co_await put_extra(i);
}

// Rows of the extra that changed, and those that refer to a row that became another one since.
Task<void> RowMerge::stage_late_extra(std::size_t i) {
    const TargetRows::Changes& changes = changes_[i];
    const std::vector<WatchedTable> all = watched();
    const merge::MergeTable& table = plan_.tables[i];
    const WatchedTable* watched_table = nullptr;
    for (const WatchedTable& one : all)
        if (one.schema == table.name.schema && one.name == table.name.name) watched_table = &one;
    const bool moved = co_await copy_moved_keys(i);
    const bool whole = table.row_key.empty() && (changes.any() || moved);
    whole_[i] = whole;
    co_await rounds_->send_all(sql_->create(i), i);
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
        co_await rounds_->send_all(sql_->once_each(i), i);
    }
    co_await rounds_->send_all(sql_->fill(i), i);
    co_await rounds_->send("update " + sql_->rows(i) + " set \"pgsluice state\" = 'a'", i);
    if (table.row_key.empty()) co_return;
    co_await rounds_->send_all(sql_->collect_gone(i), i);
    if (changes.any()) {
        const std::string out = "copy (" + target_.deleted_keys_sql(*watched_table) + ") to stdout";
        const std::string in = "copy " + sql_->gone(i) + " from stdin";
        co_await copy(out, in, i);
    }
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

} // namespace pgsluice::run
