#include "api/plan.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/run_id.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "graph/graph.hpp"
#include "merge/row_plan.hpp"
#include "plan/plan.hpp"
#include "run/blocking.hpp"
#include "run/guard.hpp"
#include "run/journal.hpp"
#include "run/lanes.hpp"
#include "run/migrations.hpp"
#include "run/new_database.hpp"
#include "run/readable.hpp"
#include "run/reading.hpp"
#include "run/rights.hpp"
#include "run/row_preview.hpp"
#include "run/rows_behind.hpp"
#include "run/swap.hpp"
#include "run/waiting.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Catalogs;
using run::Context;

// Runs a guard that throws, and lists what it says instead.
Task<void> list_refusal(Task<void> guard, report::PlanReport& report) {
    try {
        co_await std::move(guard);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused) throw;
        std::string what = error.message();
        if (!error.detail().empty()) what += ": " + error.detail();
        report.refusals.push_back({error.object(), what, error.hint()});
    }
}

// A catalog read that keeps no lock: one session holds the snapshot, another reads on it in short
// transactions.
Task<model::Database> read_without_locks(pq::Connection& keeper, pq::Connection& reader, bool is_target,
                                         bool sequence_values) {
    const std::string begin = "begin isolation level repeatable read, read only";
    co_await keeper.command(begin);
    const std::string export_sql = "select pg_catalog.pg_export_snapshot()";
    catalog::ReadOptions options;
    options.snapshot = co_await keeper.value(export_sql);
    options.is_target = is_target;
    options.sequence_values = sequence_values;
    model::Database database = co_await catalog::read(reader, options);
    const std::string commit = "commit";
    co_await keeper.command(commit);
    co_return database;
}

void add_counts(const Catalogs& catalogs, report::PlanReport& report) {
    std::array<std::uint64_t, model::kind_count> counts{};
    for (const model::Object& object : catalogs.planned.database.objects)
        ++counts[static_cast<std::size_t>(object.kind)];
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > 0)
            report.create.push_back({std::string(model::kind_name(static_cast<model::Kind>(i))), counts[i]});
    for (const model::TableRows& table : catalogs.source.rows) {
        report.bytes_estimated += table.bytes;
        if (table.rows > 0) report.rows_estimated += static_cast<std::uint64_t>(table.rows);
    }
}

using Elements = std::vector<merge::Match::Element>;

template <class Difference>
void add_elements(const Elements& elements, bool of_enums, std::vector<std::string> Difference::*side,
                  std::map<std::string, Difference>& out) {
    for (const merge::Match::Element& element : elements)
        if ((element.kind == model::Kind::enum_type) == of_enums)
            (out[one_line(element.schema + "." + element.relation)].*side).push_back(one_line(element.name));
}

void add_element_differences(const merge::Match& match, report::PlanReport& report) {
    using report::ColumnDifference, report::LabelDifference;
    std::map<std::string, ColumnDifference> by_table;
    add_elements(match.elements_only_source, false, &ColumnDifference::only_source, by_table);
    add_elements(match.elements_only_target, false, &ColumnDifference::only_target, by_table);
    for (auto& [table, difference] : by_table) {
        difference.table = table;
        report.columns.push_back(std::move(difference));
    }
    std::map<std::string, LabelDifference> by_type;
    add_elements(match.elements_only_source, true, &LabelDifference::only_source, by_type);
    add_elements(match.elements_only_target, true, &LabelDifference::only_target, by_type);
    for (auto& [type, difference] : by_type) {
        difference.type = type;
        report.enum_labels.push_back(std::move(difference));
    }
}

void add_differences(const Catalogs& catalogs, report::PlanReport& report) {
    for (const model::NaturalKey& key : catalogs.match.only_source)
        report.only_source.push_back(run::display_key(key));
    for (const merge::Drift& drift : catalogs.match.drift)
        report.drift.push_back({drift.name, drift.source_definition, drift.target_definition});
    add_element_differences(catalogs.match, report);
    run::OnlyTarget only = run::only_target(catalogs);
    report.only_target = std::move(only.extras);
    for (const merge::Pending& item : catalogs.planned.pending)
        report.merge.pending.push_back({item.name, item.reason, item.sql});
    for (const std::string& remark : catalogs.planned.remarks) report.notes.push_back(remark);
    report.dropped_in_prod = std::move(only.dropped_on_source);
}

// The source's wires are told for each in the notes, too: why, and what else is left out there.
void add_unsupported(const Context& context, const Catalogs& catalogs, report::PlanReport& report) {
    for (const model::Unsupported& object : catalogs.source.unsupported) {
        const std::string name = object.kind + " " + object.name;
        const bool is_wire =
            object.kind == "user mapping" || object.kind == "event trigger" || object.kind == "subscription";
        if (!object.wire)
            report.unsupported_source.push_back({name, "this version cannot carry this kind", ""});
        else if (is_wire)
            report.wires_left_out.push_back({name, "", ""});
    }
    for (const model::Unsupported& object : catalogs.target.unsupported)
        report.unsupported_target.push_back(
            {object.kind + " " + object.name, "this version cannot carry this kind",
             object.wire ? "it stays in the previous database until the next run" : ""});
    (void)context;
}

// Rows are not merged in this version: what only the target has goes. Estimated per table.
void add_losing(const Catalogs& catalogs, report::PlanReport& report) {
    for (const model::TableRows& table : catalogs.target.rows) {
        if (table.schema == "pgsluice" || table.rows == 0) continue;
        const model::TableRows* planned = catalogs.planned.database.rows_of(table.table);
        if (planned != nullptr && planned->from_target) continue; // an extra's come along
        report::LosingTable losing;
        losing.table = table.schema + "." + table.name;
        losing.rows_estimated = table.rows > 0 ? static_cast<std::uint64_t>(table.rows) : 0;
        report.losing.push_back(std::move(losing));
    }
}

// The rows of preserved tables, and references in extras: counted by the merge's own statements.
Task<void> add_merged_rows(Context& context, pq::Connection& source, pq::Connection& target,
                           const Catalogs& catalogs, report::PlanReport& report) {
    const merge::RowPlan rows =
        merge::plan_rows(catalogs.planned.database, catalogs.target, run::row_options(context, catalogs));
    for (const std::string& note : rows.notes) report.notes.push_back(note);
    for (const merge::MergeTable& table : rows.tables) {
        if (table.role != merge::MergeTable::Role::preserved) continue;
        const std::string name = table.name.schema + "." + table.name.name;
        std::erase_if(report.losing, [&](const report::LosingTable& losing) { return losing.table == name; });
    }
    co_await run::refuse_unreadable_rows(context, target, catalogs, rows);
    context.step("counting the target's rows that are merged");
    run::RowPreview preview = co_await run::preview_rows(source, target, rows);
    report.merge.merged = std::move(preview.tables);
    if (!preview.unknown.empty())
        report.notes.push_back("rows of the target that are merged cannot be counted before: " +
                               preview.unknown);
}

void add_migrations(Context& context, const Catalogs& catalogs, report::PlanReport& report) {
    const run::Drift& drift = catalogs.drift;
    report.migrations = run::drift_report(drift);
    const std::size_t before = context.report.remarks.size();
    run::tell_drift(context, drift, run::staying_tables(catalogs));
    report.merge.applied_again = context.report.merge.applied_again;
    report.merge.staying = context.report.merge.staying;
    for (std::size_t i = before; i < context.report.remarks.size(); ++i)
        report.notes.push_back(context.report.remarks[i].object + ": " + context.report.remarks[i].text);
    for (std::size_t i = 0; i < drift.differences.size(); ++i)
        if (drift.decision.histories[i].action == merge::DriftAction::fail)
            report.refusals.push_back({"table " + drift.differences[i].table.display(),
                                       drift.decision.histories[i].why,
                                       merge::describe(drift.differences[i])});
    try {
        run::refuse_carry(catalogs);
    } catch (const Error& error) {
        report.refusals.push_back({error.object(), error.message(), error.hint()});
    }
}

Task<void> add_records(pq::Connection& target, const Catalogs& catalogs, report::PlanReport& report) {
    if (catalogs.recorded.recorded_at.empty()) {
        report.notes.push_back(
            "the target has no record of an earlier run: nothing counts as dropped in prod");
        co_return;
    }
    report.recorded_at = catalogs.recorded.recorded_at;
    const std::vector<run::RunLine> runs = co_await run::read_runs(target);
    for (const run::RunLine& line : runs)
        if (line.state == "swapped" && report.recorded_run.empty()) report.recorded_run = line.run_id;
}

Task<void> add_room(Context& context, pq::Connection& maintenance, pq::Connection& target,
                    const Catalogs& catalogs, report::PlanReport& report) {
    report.disk_bytes_now = std::max(catalogs.source.properties.bytes, report.bytes_estimated);
    report.disk_bytes_kept = catalogs.target.properties.bytes;
    const std::string previous = previous_database_name(context.target_database());
    const std::uint64_t bytes = co_await run::database_bytes(maintenance, previous);
    if (bytes == 0) co_return;
    report.previous = previous;
    report.disk_bytes_freed = bytes;
    report.only_in_previous = co_await run::recorded_only_in_previous(target);
}

Task<void> add_guards(Context& context, pq::Connection& source, pq::Connection& target,
                      pq::Connection& maintenance, report::PlanReport& report) {
    co_await list_refusal(run::guard_same_database(context, source, target), report);
    co_await list_refusal(run::guard_exchanged(context, source), report);
    co_await list_refusal(run::guard_mark(context, target), report);
    const report::CheckReport rights = co_await run::check_rights(context, source, target, &maintenance);
    for (const report::CheckItem& item : rights.items)
        if (!item.ok && item.stops)
            report.refusals.push_back({item.right, "a right is missing", item.granted_by});
    for (const std::string& doing_without : run::done_without(rights)) report.notes.push_back(doing_without);
    for (const std::string& note : rights.notes) report.notes.push_back(note);
    report.source_version = rights.source.version;
    report.target_version = rights.target.version;
    co_await list_refusal(run::refuse_bound_database(maintenance, context.target_database()), report);
    const auto check_previous = [](Context& shared, pq::Connection& beside,
                                   pq::Connection& session) -> Task<void> {
        co_await run::drop_previous(beside, session, shared, true);
    };
    co_await list_refusal(check_previous(context, maintenance, target), report);
    co_await list_refusal(run::refuse_waiting(context, maintenance, target), report);
}

void add_tasks(const Context& context, const Catalogs& catalogs, int lanes, report::PlanReport& report) {
    graph::Options options;
    options.target_version = catalogs.target.server_version;
    options.connecting_role = context.target.user();
    const graph::Graph graph = graph::build(catalogs.planned.database, options);
    for (const std::string& warning : graph.warnings) report.notes.push_back(warning);
    report.tasks = plan::make_tasks(graph, catalogs.planned.database).size();
    report.lanes = lanes;
    report.index_jobs = context.options.index_jobs > 0 ? std::min(context.options.index_jobs, lanes) : lanes;
}

Task<report::PlanReport> plan_on_main(RefreshOptions options, report::Observer& observer,
                                      flow::Loops& loops) {
    Context context(std::move(options), observer, loops);
    report::PlanReport report;
    report.source = context.report.source;
    report.target = context.report.target;
    report.method = "swap";
    report.method_why =
        "the new database is built beside the target and renamed: the target serves until then";
    pq::Connection keeper = co_await run::open_source(context);
    pq::Connection source = co_await run::open_source(context);
    pq::Connection target = co_await run::open_target(context, context.target_database());
    pq::Connection maintenance = co_await run::open_maintenance(context);
    co_await add_guards(context, source, target, maintenance, report);

    Catalogs catalogs;
    const bool rights_missing = !report.refusals.empty();
    context.step("reading both catalogs");
    catalogs.source = co_await read_without_locks(keeper, source, false, !rights_missing);
    pq::Connection target_keeper = co_await run::open_target(context, context.target_database());
    catalogs.target = co_await read_without_locks(target_keeper, target, true, true);
    catalogs.settable_roles = co_await run::read_settable_roles(target);
    catalogs.not_creatable = co_await run::read_not_creatable(target, catalogs.source);
    catalogs.recorded = co_await run::read_identities(target);
    catalogs.drift = co_await run::read_drift(context, source, target);
    run::compare_catalogs(context, catalogs);
    for (const report::Refusal& refusal : run::refusals(context, catalogs))
        report.refusals.push_back(refusal);

    add_counts(catalogs, report);
    add_differences(catalogs, report);
    add_unsupported(context, catalogs, report);
    add_losing(catalogs, report);
    co_await list_refusal(add_merged_rows(context, source, target, catalogs, report), report);
    co_await add_records(target, catalogs, report);
    add_migrations(context, catalogs, report);
    co_await add_room(context, maintenance, target, catalogs, report);
    add_tasks(context, catalogs, co_await run::choose_lanes(context, &source, target, false), report);
    for (const report::Noted& note : context.report.notes)
        report.notes.push_back(note.object + ": " + note.text);
    for (const std::string& note : catalogs.planned.notes) report.notes.push_back(note);
    for (const report::Remarked& remark : run::remarks_on_left_out(catalogs))
        report.notes.push_back(remark.object + ": " + remark.text);
    co_return report;
}

} // namespace

flow::Task<report::PlanReport> plan_refresh(RefreshOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), plan_on_main(std::move(options), observer, loops));
}

report::PlanReport plan_refresh_blocking(RefreshOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return plan_on_main(options, observer, loops); });
}

} // namespace pgsluice
