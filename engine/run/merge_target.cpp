#include "run/merge_target.hpp"

#include <algorithm>

#include "run/fingerprint.hpp"

namespace pgsluice::run {

namespace {

// A primary key, else another unique one of NOT NULL columns; empty: none.
std::vector<std::string> row_key(const model::Database& target, const model::TableRows& table) {
    for (const model::TableFacts& facts : target.table_facts) {
        if (facts.schema != table.schema || facts.name != table.name) continue;
        for (const model::KeyFacts& key : facts.keys) {
            const bool usable =
                std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) {
                    const model::ColumnFacts* column = facts.column(name);
                    const auto& copied = table.columns;
                    return column != nullptr && column->not_null &&
                           std::find(copied.begin(), copied.end(), name) != copied.end();
                });
            if (usable && !key.columns.empty()) return key.columns;
        }
    }
    return {};
}

LateInput late_input(const Catalogs& catalogs) {
    LateInput late;
    late.at_start = fingerprint_of(catalogs.target);
    for (const model::TableRows& table : catalogs.planned.database.rows)
        if (table.from_target)
            late.extras.push_back(
                {table.schema, table.name, table.columns, row_key(catalogs.target, table), false});
    for (const model::Object& object : catalogs.planned.database.objects)
        if (object.extra && object.kind == model::Kind::sequence)
            late.sequences.push_back({object.schema, object.name});
    return late;
}

} // namespace

Task<void> MergeTarget::open() { rows_ = co_await TargetRows::open(context_); }

Task<LoadMerge> MergeTarget::prepare(const Catalogs& catalogs, std::string database) {
    late_ = late_input(catalogs);
    inside_ = co_await open_target(context_, database);
    co_await rows_->remember(late_.extras);
    LoadMerge load;
    load.target_snapshot = rows_->snapshot();
    if (late_.extras.empty()) co_await rows_->end_snapshot(); // nobody will read on it
    co_return load;
}

Task<void> MergeTarget::late() {
    co_await merge_late(context_, *rows_, *inside_, late_);
    catalog_mark_ = co_await catalog_mark(rows_->session());
}

// Between late() and the moment when nobody is left somebody may have made a table. The mark alone shows
// temporary tables, too, and what was undone again.
Task<void> MergeTarget::look_again() {
    const std::string mark = co_await catalog_mark(rows_->session());
    if (mark == catalog_mark_) co_return;
    const Fingerprint now = co_await read_fingerprint(rows_->session(), context_.options.lock_timeout);
    refuse_changed_schema(late_.at_start, now);
}

LastSession MergeTarget::last_session() {
    LastSession last;
    last.server_process = rows_->server_process();
    last.check = [this] { return look_again(); };
    last.close = [this] { rows_.reset(); };
    return last;
}

} // namespace pgsluice::run
