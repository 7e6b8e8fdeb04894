#include "run/merge_target.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/late_merge.hpp"
#include "run/migrations.hpp"
#include "run/readable.hpp"

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

// Of columns that only the target has, those that the server refused.
Task<void> leave_out_missing_columns(pq::Connection& inside, merge::RowPlan& plan) {
    std::string values;
    for (const merge::MergeTable& table : plan.tables)
        for (const merge::MergeColumn& column : table.columns)
            if (column.extra && table.role != merge::MergeTable::Role::extra)
                values += (values.empty() ? "(" : ", (") + pq::quote_literal(table.name.schema) + ", " +
                          pq::quote_literal(table.name.name) + ", " + pq::quote_literal(column.name) + ")";
    if (values.empty()) co_return;
    const std::string sql =
        "select t.schema, t.name, t.col from (values " + values +
        ") t(schema, name, col) where not exists (select from pg_catalog.pg_namespace n join "
        "pg_catalog.pg_class c "
        "on c.relnamespace = n.oid join pg_catalog.pg_attribute a on a.attrelid = c.oid where n.nspname = "
        "t.schema and "
        "c.relname = t.name and a.attname = t.col and a.attnum > 0 and not a.attisdropped)";
    const pq::Rows rows = co_await inside.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const merge::TableName name{std::string(rows.at(i, "schema")), std::string(rows.at(i, "name"))};
        const std::string gone{rows.at(i, "col")};
        const auto has = [&](const std::vector<std::string>& columns) {
            return std::find(columns.begin(), columns.end(), gone) != columns.end();
        };
        for (merge::MergeTable& table : plan.tables) {
            if (table.name != name) continue;
            std::erase_if(table.columns,
                          [&](const merge::MergeColumn& column) { return column.name == gone; });
            std::erase_if(table.natural_keys, has);
            if (has(table.duplicates_by)) table.duplicates_by.clear();
            if (has(table.row_key)) table.row_key.clear();
            if (has(table.primary_key)) table.primary_key.clear();
        }
        std::erase_if(plan.references, [&](const merge::Reference& reference) {
            return (reference.child == name && has(reference.child_columns)) ||
                   (reference.parent == name && has(reference.parent_columns));
        });
    }
}

} // namespace

Task<void> MergeTarget::open() { rows_ = co_await TargetRows::open(context_); }

Task<void> MergeTarget::plan(const Catalogs& catalogs) {
    merge::RowOptions options;
    options.preserve = context_.options.preserve;
    options.references = context_.options.references;
    options.keep_deleted = context_.options.keep_deleted;
    options.source_is_right = context_.options.source_is_right;
    row_plan_ = merge::plan_rows(catalogs.planned.database, catalogs.target, options);
    for (const std::string& note : row_plan_.notes) context_.note("rows", note);
    co_await refuse_unreadable_rows(rows_->session(), catalogs, row_plan_);
}

bool MergeTarget::preserves(const merge::TableName& table) const {
    const merge::MergeTable* merged = row_plan_.table(table);
    return merged != nullptr && merged->role == merge::MergeTable::Role::preserved;
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
    context_.step("remembering the target's rows");
    const RowMerge whole(context_, *rows_, *inside_, row_plan_);
    co_await rows_->remember(whole.watched());
    load.merge = [this]() -> Task<void> {
        co_await start_row_merge();
        co_await row_merge_->merge();
    };
    co_return load;
}

// Without the extras that the server refused: they are pending, rows and all.
Task<void> MergeTarget::start_row_merge() {
    merge::RowPlan plan = row_plan_;
    const std::string sql =
        "select n.nspname as schema, c.relname as name from pg_catalog.pg_class c join "
        "pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p')";
    const pq::Rows rows = co_await inside_->rows(sql);
    std::set<merge::TableName> there;
    for (std::size_t i = 0; i < rows.size(); ++i)
        there.insert({std::string(rows.at(i, "schema")), std::string(rows.at(i, "name"))});
    std::erase_if(plan.tables, [&](const merge::MergeTable& table) { return !there.contains(table.name); });
    std::erase_if(plan.references, [&](const merge::Reference& reference) {
        return !there.contains(reference.child) || !there.contains(reference.parent);
    });
    co_await leave_out_missing_columns(*inside_, plan);
    row_merge_.emplace(context_, *rows_, *inside_, std::move(plan));
}

Task<void> MergeTarget::late(const model::Database& planned) {
    LateInput input;
    input.at_start = at_start_;
    input.sequences = sequences_of_extras(planned);
    LateRows preserved;
    if (!row_plan_.empty() && !row_merge_) co_await start_row_merge();
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
