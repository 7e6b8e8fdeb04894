#include "run/merge_target.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "run/late_merge.hpp"
#include "run/migrations.hpp"

namespace pgsluice::run {

namespace {

// Those that no column of a shared table takes its numbers from: what the source's rows took there counts
// too.
std::vector<merge::TableName> sequences_of_extras(const model::Database& planned) {
    std::vector<merge::TableName> names;
    for (const model::Object& object : planned.objects) {
        if (object.kind != model::Kind::sequence || !object.extra) continue;
        bool of_shared = false;
        for (const model::Dependency& dependency : planned.dependencies) {
            const bool owned = dependency.type == 'a' || dependency.type == 'i' || dependency.type == 'c';
            if (!owned || planned.resolve(dependency.who) != object.id) continue;
            const model::Object* owner = planned.find(dependency.needs);
            of_shared = of_shared || (owner != nullptr && owner->kind == model::Kind::table && !owner->extra);
        }
        if (!of_shared) names.push_back({object.schema, object.name});
    }
    return names;
}

} // namespace

Task<void> MergeTarget::open() { rows_ = co_await TargetRows::open(context_); }

void MergeTarget::plan(const Catalogs& catalogs) {
    merge::RowOptions options;
    options.preserve = context_.options.preserve;
    options.references = context_.options.references;
    options.keep_deleted = context_.options.keep_deleted;
    options.source_is_right = context_.options.source_is_right;
    row_plan_ = merge::plan_rows(catalogs.planned.database, catalogs.target, options);
    for (const std::string& note : row_plan_.notes) context_.note("rows", note);
}

Task<LoadMerge> MergeTarget::prepare(const Catalogs& catalogs, std::string database) {
    at_start_ = fingerprint_of(catalogs.target);
    histories_ = history_mark(catalogs.drift.target);
    LoadMerge load;
    load.target_snapshot = rows_->snapshot();
    inside_ = co_await open_target(context_, database);
    if (row_plan_.empty()) {
        // Rows may be copied all the same: of an extension's configuration tables.
        const auto& tables = catalogs.planned.database.rows;
        if (std::none_of(tables.begin(), tables.end(), [](const auto& table) { return table.from_target; }))
            co_await rows_->end_snapshot(); // nobody will read on it
        co_return load;
    }
    for (const merge::MergeTable& table : row_plan_.tables) {
        const model::NaturalKey key{model::Kind::table, table.name.schema, "", table.name.name, ""};
        const model::Object* object = catalogs.planned.database.find(key);
        if (object != nullptr) load.merged_tables.insert(object->id);
    }
    row_merge_.emplace(context_, *rows_, *inside_, row_plan_);
    context_.step("remembering the target's rows");
    co_await rows_->remember(row_merge_->watched());
    load.merge = [this]() -> Task<void> { co_await row_merge_->merge(); };
    co_return load;
}

Task<void> MergeTarget::late(const model::Database& planned) {
    LateInput input;
    input.at_start = at_start_;
    input.sequences = sequences_of_extras(planned);
    LateRows preserved;
    if (row_merge_) {
        input.extras = row_merge_->plain_extras();
        preserved = row_merge_->late();
    }
    co_await merge_late(context_, *rows_, *inside_, input, preserved);
    if (row_merge_) co_await row_merge_->finish();
    co_await refuse_changed_history();
    catalog_mark_ = co_await catalog_mark(rows_->session());
}

Task<void> MergeTarget::refuse_changed_history() {
    const std::vector<merge::History> now = co_await read_histories(context_, rows_->session());
    if (history_mark(now) == histories_) co_return;
    throw Error{ErrorKind::refused, "the target's migration history has changed during the run"}
        .object("database " + one_line(context_.target_database()))
        .hint("the target is as it was; run again");
}

// Between late() and the moment when nobody is left somebody may have made a table. The mark alone shows
// temporary tables, too, and what was undone again.
Task<void> MergeTarget::look_again() {
    co_await refuse_changed_history();
    const std::string mark = co_await catalog_mark(rows_->session());
    if (mark == catalog_mark_) co_return;
    const Fingerprint now = co_await read_fingerprint(rows_->session(), context_.options.lock_timeout);
    refuse_changed_schema(at_start_, now);
}

LastSession MergeTarget::last_session() {
    LastSession last;
    last.server_process = rows_->server_process();
    last.check = [this] { return look_again(); };
    last.close = [this] { rows_.reset(); };
    return last;
}

void MergeTarget::close_inside() {
    row_merge_.reset();
    inside_.reset();
}

} // namespace pgsluice::run
