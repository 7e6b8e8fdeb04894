#include "run/merge_target.hpp"

#include <algorithm>
#include <map>
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

// Of the source, but columns of extras take their numbers from them, too: they must be past those as well.
std::vector<SharedSequence> sequences_that_extras_use(const model::Database& planned) {
    std::vector<SharedSequence> found;
    for (const model::Object& object : planned.objects) {
        if (object.kind != model::Kind::sequence || object.extra) continue;
        SharedSequence sequence{{object.schema, object.name}, {}};
        for (const model::Dependency& dependency : planned.dependencies) {
            if (planned.resolve(dependency.needs) != object.id) continue;
            const model::Object* user = planned.find(planned.resolve(dependency.who));
            if (user != nullptr && user->kind == model::Kind::column_default)
                user = planned.find(planned.resolve(user->relation));
            if (user != nullptr && user->kind == model::Kind::table && user->extra)
                sequence.users.push_back({user->schema, user->name});
        }
        if (!sequence.users.empty()) found.push_back(std::move(sequence));
    }
    return found;
}

} // namespace

Task<void> MergeTarget::open() { rows_ = co_await TargetRows::open(context_); }

Task<void> MergeTarget::plan(const Catalogs& catalogs) {
    row_plan_ = merge::plan_rows(catalogs.planned.database, catalogs.target, row_options(context_, catalogs));
    for (const std::string& note : row_plan_.notes) context_.note("rows", note);
    co_await refuse_unreadable_rows(context_, rows_->session(), catalogs, row_plan_);
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

// Without the extras that the server refused, tables or columns: they are pending, rows and all.
Task<void> MergeTarget::start_row_merge() {
    merge::RowPlan plan = row_plan_;
    const std::string sql =
        "select n.nspname as schema, c.relname as name, a.attname as column from pg_catalog.pg_class c join "
        "pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_attribute a on "
        "a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where c.relkind in ('r', 'p') and "
        "n.nspname !~ '^(pg_|information_schema$)'";
    const pq::Rows rows = co_await inside_->rows(sql);
    std::map<merge::TableName, std::set<std::string>> there;
    for (std::size_t i = 0; i < rows.size(); ++i)
        there[{std::string(rows.at(i, "schema")), std::string(rows.at(i, "name"))}].insert(
            std::string(rows.get(i, "column").value_or("")));
    const auto all_there = [&](const merge::TableName& table, const std::vector<std::string>& columns) {
        return there.contains(table) && std::all_of(columns.begin(), columns.end(), [&](const auto& name) {
                   return there.at(table).contains(name);
               });
    };
    std::erase_if(plan.tables, [&](const merge::MergeTable& table) { return !there.contains(table.name); });
    for (merge::MergeTable& table : plan.tables)
        std::erase_if(table.columns, [&](const merge::MergeColumn& column) {
            return column.extra && !there.at(table.name).contains(column.name);
        });
    std::erase_if(plan.references, [&](const merge::Reference& reference) {
        return !all_there(reference.child, reference.child_columns) ||
               !all_there(reference.parent, reference.parent_columns);
    });
    row_merge_.emplace(context_, *rows_, *inside_, std::move(plan));
}

Task<void> MergeTarget::late(const model::Database& planned) {
    LateInput input;
    input.at_start = at_start_;
    input.sequences = sequences_of_extras(planned);
    input.shared_sequences = sequences_that_extras_use(planned);
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
