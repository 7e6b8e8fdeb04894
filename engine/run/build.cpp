#include "run/build.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "graph/graph.hpp"
#include "kinds/descriptor.hpp"
#include "merge/heirs.hpp"
#include "merge/merge.hpp"
#include "plan/plan.hpp"
#include "run/lanes.hpp"
#include "run/pending.hpp"
#include "run/second_chance.hpp"

namespace pgsluice::run {

namespace {

// rules.md section 8: over all builds at most a quarter of the memory that the server's own settings speak
// of.
Task<std::uint64_t> maintenance_kib(pq::Connection& target, int builds) {
    const std::string sql =
        "select pg_catalog.sum(case name when 'shared_buffers' then setting::pg_catalog.int8 * 8 * 4 end) as "
        "buffers, "
        "pg_catalog.sum(case name when 'effective_cache_size' then setting::pg_catalog.int8 * 8 end) as "
        "cache "
        "from pg_catalog.pg_settings where name in ('shared_buffers', 'effective_cache_size')";
    const pq::Rows rows = co_await target.rows(sql);
    const auto number = [&](std::string_view column) {
        std::uint64_t value = 0;
        const std::string_view text = rows.at(0, column);
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    const std::uint64_t memory = std::min(number("buffers"), number("cache"));
    const std::uint64_t share = memory / 4 / static_cast<std::uint64_t>(std::max(builds, 1));
    constexpr std::uint64_t least = 1024; // that the server takes
    co_return std::max(share, least);
}

} // namespace

Task<Catalogs> read_catalogs(Context& context, Source& source, pq::Connection& target,
                             std::string target_snapshot) {
    Catalogs catalogs;
    catalog::ReadOptions options;
    context.step("reading the source's catalog");
    catalogs.source = co_await source.read_catalog(options);
    context.step("reading the target's catalog");
    options.is_target = true;
    options.snapshot = std::move(target_snapshot);
    catalogs.target = co_await catalog::read(target, options);
    catalogs.settable_roles = co_await read_settable_roles(target);
    catalogs.not_creatable = co_await read_not_creatable(target, catalogs.source);
    catalogs.recorded = co_await read_identities(target);
    catalogs.drift = co_await read_drift(context, source.leader(), target);
    refuse_drift(catalogs.drift);
    if (catalogs.drift.decision.action == merge::DriftAction::carry) {
        compare_catalogs(context, catalogs);
        refuse_carry(catalogs);
    }
    if (catalogs.drift.decision.action == merge::DriftAction::migrate || !context.options.swap)
        catalogs.stage = Catalogs::Stage::shared_part;
    compare_catalogs(context, catalogs);
    throw_first(refusals(context, catalogs));
    if (context.options.swap) {
        tell_drift(context, catalogs.drift, staying_tables(catalogs));
    } else {
        tell_waiting(context, catalogs.drift);
    }
    tell_planned(context, catalogs);
    co_return catalogs;
}

void tell_planned(Context& context, const Catalogs& catalogs) {
    // Roles, owners and grants are told with the shared part, what is the target's own with the rest.
    if (catalogs.stage != Catalogs::Stage::own_part) {
        for (const std::string& note : catalogs.planned.notes) context.note("plan", note);
        for (const report::Remarked& remark : remarks_on_left_out(catalogs))
            context.remark(remark.object, remark.text, remark.hint, remark.sql);
    }
    if (catalogs.stage == Catalogs::Stage::shared_part) return;
    note_dropped_on_source(context, catalogs);
    tell_pending(context, catalogs.planned.pending);
    for (const std::string& remark : catalogs.planned.remarks) {
        const std::size_t colon = std::min(remark.find(": "), remark.size());
        context.remark(remark.substr(0, colon), remark.substr(std::min(colon + 2, remark.size())));
    }
}

namespace {

// Steps of objects whose later steps failed, so that nothing is there that nobody planned.
Task<void> drop_half_made(Context& context, pq::Connection& inside,
                          const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
        try {
            co_await inside.command(statement);
        } catch (const Error& error) {
            if (inside.broken()) throw;
            context.note("extras", one_line(statement) + ": " + one_line(error.message()));
        }
    }
}

} // namespace

Task<Loaded> load(Context& context, Source* source, const Catalogs& catalogs, pq::Connection& inside,
                  int lanes, LoadMerge merge) {
    graph::Options graph_options;
    graph_options.target_version = catalogs.target.server_version;
    graph_options.connecting_role = context.target.user();
    graph_options.only_extras = merge.only_extras;
    graph_options.merged_tables = merge.merged_tables;
    const graph::Graph graph = graph::build(catalogs.planned.database, graph_options);
    for (const std::string& warning : graph.warnings) context.note("order", warning);

    LanesInput input;
    input.planned = &catalogs.planned.database;
    input.graph = &graph;
    input.database = inside.conninfo().database();
    input.lanes = lanes;
    input.target_snapshot = merge.target_snapshot;
    input.merge = merge.merge;
    input.index_builds = context.options.index_jobs > 0 ? std::min(context.options.index_jobs, lanes) : lanes;
    input.maintenance_kib = co_await maintenance_kib(inside, input.index_builds);
    plan::Limits limits;
    limits.lanes = lanes;
    limits.index_builds = input.index_builds;
    plan::Plan plan(plan::make_tasks(graph, catalogs.planned.database), limits);

    report::PlanMade made;
    made.tasks = plan.tasks().size();
    made.lanes = lanes;
    for (const plan::Task& task : plan.tasks()) {
        made.weight += plan::weight_of(task);
        if (task.kind == plan::TaskKind::copy) made.bytes_to_copy += task.bytes;
    }
    context.emit(made);
    const std::vector<ExtraFailure> failures = co_await perform(context, plan, source, input);
    NotMade lacking = not_made(plan, graph, catalogs.planned.database, failures);
    co_await drop_half_made(context, inside, lacking.half_made);
    co_await try_single_columns(inside, catalogs.planned.database, lacking);
    tell_pending(context, lacking.pending);
    Loaded loaded;
    loaded.pending = std::move(lacking.pending);
    loaded.rows_behind = std::move(lacking.rows_behind);
    co_return loaded;
}

namespace {

// The first lines that are not alike.
std::string first_difference(std::string_view planned, std::string_view found) {
    const auto take = [](std::string_view& text) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return line;
    };
    while (!planned.empty() || !found.empty()) {
        const std::string_view ours = take(planned), theirs = take(found);
        if (ours != theirs) return "planned: " + one_line(ours) + "; found: " + one_line(theirs);
    }
    return {};
}

} // namespace

namespace {

// A column of a shared table, or all that only the target has, with what is told of them apart.
void add_columns_of(const model::Database& planned, const model::NaturalKey& key,
                    std::set<std::string>& names) {
    const std::string& table = key.table.empty() ? key.name : key.table;
    names.insert(display_key({model::Kind::table, key.schema, "", table, ""}));
    for (const model::Object& object : planned.objects)
        if (object.kind == model::Kind::column_default && object.extra && object.schema == key.schema &&
            object.table == table && (key.table.empty() || key.name == object.name))
            names.insert(model::display_name(object));
}

// What the item's ALTER TABLE would have gone down to.
void add_heirs_of(const model::Database& planned, const merge::Heirs& heirs, const model::NaturalKey& key,
                  std::set<std::string>& names) {
    const std::string& name = key.table.empty() ? key.name : key.table;
    const model::Object* table = planned.find({model::Kind::table, key.schema, "", name, ""});
    if (table == nullptr || (key.kind != model::Kind::table && key.kind != model::Kind::check)) return;
    for (const model::Object* child : heirs.below(*table)) {
        model::NaturalKey below{model::Kind::table, child->schema, "", child->name, ""};
        if (key.kind == model::Kind::table && !key.table.empty())
            below = {model::Kind::table, child->schema, child->name, key.name, ""};
        add_columns_of(planned, below, names);
        if (key.kind == model::Kind::check)
            names.insert(display_key({model::Kind::check, child->schema, child->name, key.name, ""}));
    }
}

// Inside its CREATE, so with no line of their own.
void add_checks_of(const model::Database& planned, const model::NaturalKey& key,
                   std::set<std::string>& names) {
    const model::Object* host = planned.find(key);
    if (host == nullptr || !host->extra) return;
    for (const model::Object& object : planned.objects)
        if (object.kind == model::Kind::check && object.extra && object.schema == key.schema &&
            object.table == key.name)
            names.insert(model::display_name(object));
}

} // namespace

Task<void> verify_catalog(Context& context, const model::Database& planned,
                          std::vector<merge::Pending>& pending, pq::Connection& session) {
    context.step("verifying the new database against the plan");
    const std::string begin = "begin isolation level repeatable read, read only";
    co_await session.command(begin);
    catalog::ReadOptions options;
    options.sequence_values = false;
    options.sizes = false;
    const model::Database found = co_await catalog::read(session, options);
    const std::string commit = "commit";
    co_await session.command(commit);
    std::set<std::string> remarked;
    for (const report::Remarked& remark : context.report.remarks) remarked.insert(remark.object);
    std::set<std::string> waiting;
    const merge::Heirs heirs(planned);
    for (const merge::Pending& item : pending) {
        add_heirs_of(planned, heirs, item.key, waiting);
        waiting.insert(display_key(item.key));
        if (item.key.kind == model::Kind::table) add_columns_of(planned, item.key, waiting);
        if (item.key.kind == model::Kind::table || item.key.kind == model::Kind::domain)
            add_checks_of(planned, item.key, waiting);
        // A valid check is part of its table's or domain's text, one that stayed NOT VALID is not; a default,
        // too.
        if (item.key.kind == model::Kind::check || item.key.kind == model::Kind::column_default)
            for (const model::Kind host : {model::Kind::table, model::Kind::domain})
                waiting.insert(display_key({host, item.key.schema, "", item.key.table, ""}));
    }
    std::map<std::string, const model::Object*> extras;
    for (const model::Object& object : planned.objects)
        if (object.extra) extras.emplace(model::display_name(object), &object);
    std::vector<merge::Pending> missing;
    std::vector<std::string> different;
    std::string detail;
    for (const merge::Difference& difference : merge::compare(planned, found)) {
        if (waiting.contains(difference.object)) continue;
        if (difference.what == "part") {
            context.report.merge.carried.push_back(difference.object);
            continue;
        }
        const bool rights = difference.what == "owner" || difference.what == "grants";
        // An extension of --template keeps the comment of its package; the lane has said so.
        if (difference.what == "comment" && difference.object.starts_with("extension ") &&
            !context.options.template_database.empty())
            continue;
        const auto extra = extras.find(difference.object);
        const bool is_extra = !rights && extra != extras.end();
        // A table would be lost with its rows: that stops the run.
        const bool rows_are_lost =
            is_extra && difference.what == "missing" && extra->second->kind == model::Kind::table;
        if (is_extra && !rows_are_lost) {
            if (difference.what == "missing")
                missing.push_back({merge::Pending::Why::cannot, model::natural_key(*extra->second),
                                   difference.object, "it was not there after the load",
                                   kinds::whole_ddl(*extra->second, planned, session.server_version())});
            else
                context.remark(difference.object, difference.what + " differs from what was planned",
                               "compare with the previous database", difference.planned);
            continue;
        }
        if (!rights) {
            if (different.empty()) detail = first_difference(difference.planned, difference.found);
            different.push_back(difference.object + " (" + difference.what + ")");
            continue;
        }
        if (remarked.contains(difference.object)) continue;
        context.remark(difference.object, difference.what + " differ from what was planned",
                       "compare with the previous database and set them by hand", difference.planned);
    }
    tell_pending(context, missing);
    std::move(missing.begin(), missing.end(), std::back_inserter(pending));
    if (different.empty()) co_return;
    throw Error{ErrorKind::verification, "the new database is not what was planned"}
        .object(join(different, ", ").substr(0, 1000))
        .detail(detail)
        .hint("nothing was swapped; please report this with the report file");
}

} // namespace pgsluice::run
