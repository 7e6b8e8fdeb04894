// What changed on the target during the run, under the locks. The rounds begin anew with all rows as they are
// now: what is there then is what one merge at this moment would have made, but for keys that were given.
// Extras come last: where their references lead is known when the preserved rows are there.
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
    const std::vector<WatchedTable> all = watched();
    std::uint64_t rows = 0;
    for (const WatchedTable& one : all) {
        const std::size_t i = sql_->index_of({one.schema, one.name});
        if (one.only_locked || (plan_.tables[i].role == Role::extra && !follows(plan_, plan_.tables[i])))
            continue;
        changes_[i] = co_await target_.find_changes(one);
        rows += changes_[i].changed + changes_[i].deleted;
        changed_late_ = changed_late_ || changes_[i].any();
        staged_changed_ = staged_changed_ || (sql_->staged(i) && changes_[i].any());
    }
    for (std::size_t i = 0; i < plan_.tables.size(); ++i)
        if (plan_.tables[i].role == Role::referenced) co_await stage_again(i);
    if (!changed_late_) co_return;
    now_ = co_await read_tables_now(inside_, plan_); // there are more keys and checks by now
    co_await read_target_sequences(target_.session(), plan_, now_);
    sql_.emplace(plan_, now_, context_.run_id);
    rounds_.emplace(inside_, *sql_);
    QuietTables quiet = co_await QuietTables::begin_reading(inside_, read_tables());
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (!sql_->staged(i)) continue;
        if (changes_[i].any()) co_await stage(i);
    }
    co_await rounds_->compute();
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
        if (plan_.tables[i].role != Role::preserved) continue;
        const std::string sql = sql_->shrinks(i);
        const std::string shrinks = co_await inside_.value(sql, limits::statement_wait_max);
        if (shrinks == "t") shrinking_.push_back(plan_.tables[i].name);
    }
    co_await quiet.commit();
    find_touched();
    context_.report.merge.late_rows += rows;
}

// Of a referenced table only the rows that anything leads to are read, and those keys of theirs that tell who
// they are: whether they are the same as before is soon told.
Task<void> RowMerge::stage_again(std::size_t i) {
    const std::string mark_sql = sql_->raw_mark(i);
    const std::string before = co_await inside_.value(mark_sql, limits::statement_wait_max);
    co_await stage(i);
    const std::string now = co_await inside_.value(mark_sql, limits::statement_wait_max);
    if (now == before) co_return;
    changed_late_ = true;
    staged_changed_ = true;
}

Task<void> RowMerge::apply_late() {
    if (!changed_late_) co_return;
    co_await put_preserved();
    for (const std::size_t i : touched_) co_await take_late_extra(i);
    co_await put_extras(touched_);
    for (const std::size_t i : touched_) co_await check_nothing_lost(i);
}

// Under the locks both sides can be counted.
Task<void> RowMerge::check_nothing_lost(std::size_t i) {
    if (!complete_[i]) co_return;
    const Counted counted = co_await count_both(i);
    if (counted.ours == counted.theirs) co_return;
    throw Error{ErrorKind::verification, "the table does not hold the rows that are on the target"}
        .object("table " + shown(plan_.tables[i]))
        .detail(fmt::format("{} rows there, {} here with those in pgsluice.rejected", counted.theirs,
                            counted.ours))
        .hint("nothing was swapped; please report this with the table's definition");
}

// What changed in one of the preserved or referenced tables may have changed the outcome in any of them.
void RowMerge::find_touched() {
    std::vector<bool> touched(plan_.tables.size());
    for (std::size_t i = 0; i < touched.size(); ++i)
        touched[i] = changes_[i].any() || (sql_->staged(i) && staged_changed_);
    for (bool more = true; more;) {
        more = false;
        for (const merge::Reference& reference : plan_.references) {
            const std::size_t child = sql_->index_of(reference.child);
            if (touched[child] || !touched[sql_->index_of(reference.parent)]) continue;
            touched[child] = more = true;
        }
    }
    touched_.clear();
    for (const std::size_t i : following(plan_))
        if (touched[i]) touched_.push_back(i);
}

// The rows that changed go from the table and from what is known of it, and are staged as they are now.
Task<void> RowMerge::take_late_extra(std::size_t i) {
    const merge::MergeTable& table = plan_.tables[i];
    const TargetRows::Changes& changes = changes_[i];
    const std::vector<WatchedTable> all = watched();
    co_await rounds_->send_all(sql_->begin_late_extra(i), i);
    for (const WatchedTable& one : all) {
        if (one.schema != table.name.schema || one.name != table.name.name || !changes.any()) continue;
        const std::string rows = "copy (" + target_.changed_rows_sql(one) + ") to stdout";
        co_await copy(rows, sql_->copy_in(i), i);
        if (one.key.empty()) continue;
        const std::string keys = "copy (" + target_.deleted_keys_sql(one) + ") to stdout";
        const std::string in = "copy " + sql_->gone(i) + " from stdin";
        co_await copy(keys, in, i);
    }
    co_await rounds_->send_all(sql_->take_late_extra(i, changes.any()), i);
}

} // namespace pgsluice::run
