#include "api/verify.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <set>

#include <boost/json.hpp>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "flow/join.hpp"
#include "pq/quote.hpp"
#include "rows/checksum.hpp"
#include "run/blocking.hpp"
#include "run/journal.hpp"
#include "run/pending.hpp"
#include "run/reading.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

// What the run that made the target left for us in its report.
struct Recorded {
    std::string run_id;
    std::set<std::string> differing;              // objects that it remarked, or its migration changed
    std::set<std::string> carried;                // what only the target had, and came along
    std::map<std::string, std::string> checksums; // "schema.table" -> sum

    // Of partitions that were compared as one, the last one's line has the sum of all.
    std::optional<std::string> checksum_of(const rows::Tables& tables) const {
        for (const model::TableRows* table : tables)
            if (const auto at = checksums.find(table->schema + "." + table->name); at != checksums.end())
                return at->second;
        return std::nullopt;
    }
};

Recorded read_recorded(const std::vector<run::RunLine>& runs) {
    Recorded recorded;
    for (const run::RunLine& line : runs) {
        if (line.state != "swapped") continue;
        recorded.run_id = line.run_id;
        boost::system::error_code error;
        const boost::json::value parsed = boost::json::parse(line.report, error);
        if (error || !parsed.is_object()) break;
        const boost::json::object& report = parsed.get_object();
        const auto text = [](const boost::json::value& item, const char* key) -> std::string {
            if (!item.is_object()) return {};
            const boost::json::value* value = item.get_object().if_contains(key);
            return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
        };
        if (const auto* remarks = report.if_contains("remarks"); remarks != nullptr && remarks->is_array())
            for (const auto& remark : remarks->get_array()) recorded.differing.insert(text(remark, "object"));
        const auto names_of_merge = [&](const char* key, std::set<std::string>& into) {
            const auto* merged = report.if_contains("merge");
            const auto* names =
                merged != nullptr && merged->is_object() ? merged->get_object().if_contains(key) : nullptr;
            if (names == nullptr || !names->is_array()) return;
            for (const auto& name : names->get_array())
                if (name.is_string()) into.emplace(name.get_string());
        };
        names_of_merge("carried", recorded.carried);
        names_of_merge("changed_by_migration", recorded.differing);
        if (const auto* tables = report.if_contains("tables"); tables != nullptr && tables->is_array())
            for (const auto& table : tables->get_array())
                if (const std::string sum = text(table, "checksum"); !sum.empty())
                    recorded.checksums.emplace(text(table, "schema") + "." + text(table, "name"), sum);
        break;
    }
    return recorded;
}

Task<void> measure(pq::Connection& session, const rows::Tables& tables, bool checksum,
                   rows::HashedText hashed, rows::TableChecksum& out) {
    if (checksum)
        out = co_await rows::checksum_rows(session, tables, hashed);
    else
        out.rows = co_await rows::count_rows(session, tables);
}

report::ChangedBy who_changed(const report::TableVerification& line) {
    if (!line.checksum_recorded) return report::ChangedBy::unknown;
    const bool source = line.checksum_source != line.checksum_recorded;
    const bool target = line.checksum_target != line.checksum_recorded;
    if (source && target) return report::ChangedBy::both;
    if (source) return report::ChangedBy::source;
    return target ? report::ChangedBy::target : report::ChangedBy::nobody;
}

// One line of the answer: a table, or partitions among which the same rows are spread differently.
struct Compared {
    std::string name;
    rows::Tables source;
    std::vector<model::TableRows> target; // with the source's columns
    rows::Tables on_target() const {
        rows::Tables tables;
        for (const model::TableRows& table : target) tables.push_back(&table);
        return tables;
    }
};

bool has_columns(const model::TableRows& table, const std::vector<std::string>& columns) {
    return std::all_of(columns.begin(), columns.end(), [&](const std::string& column) {
        return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end();
    });
}

std::string measured_name(const model::TableRows& table) {
    return table.partition_root_load ? table.root_schema + "." + table.root_name
                                     : table.schema + "." + table.name;
}

// A table that the target lacks, or that lacks a column there, is a difference of the schemas and has no rows
// to compare.
std::deque<Compared> tables_to_compare(const model::Database& source, const model::Database& target) {
    std::map<std::string, rows::Tables> found;
    for (const model::TableRows& table : target.rows) found[measured_name(table)].push_back(&table);
    std::deque<Compared> lines;
    std::map<std::string, std::size_t> line_of;
    for (const model::TableRows& table : source.rows) {
        const std::string name = measured_name(table);
        if (const auto known = line_of.find(name); known != line_of.end()) {
            lines[known->second].source.push_back(&table);
            continue;
        }
        Compared compared{name, {&table}, {}};
        bool comparable = found.contains(name);
        for (const model::TableRows* other : found[name]) {
            comparable = comparable && has_columns(*other, table.columns);
            compared.target.push_back(*other);
            compared.target.back().columns = table.columns;
            compared.target.back().condition = table.condition;
        }
        if (!comparable) continue;
        line_of.emplace(name, lines.size());
        lines.push_back(std::move(compared));
    }
    return lines;
}

// One snapshot of each side, shared by as many pairs of sessions as tables are read at once.
struct Side {
    std::optional<pq::Connection> keeper;
    std::string snapshot;
};

constexpr std::string_view begin_sql = "begin isolation level repeatable read, read only";

Task<void> open_side(pq::Connection session, Side& side) {
    side.keeper = std::move(session);
    const std::string begin{begin_sql};
    co_await side.keeper->command(begin);
    const std::string sql = "select pg_catalog.pg_export_snapshot()";
    side.snapshot = co_await side.keeper->value(sql);
}

Task<void> adopt(pq::Connection& session, std::string snapshot) {
    const std::string sql =
        std::string(begin_sql) + "; set transaction snapshot " + pq::quote_literal(snapshot);
    co_await session.command(sql);
}

struct Work {
    std::deque<Compared> tables;
    bool checksum = false;
    const Recorded* recorded = nullptr;
    report::VerifyReport* report = nullptr;
};

Task<void> read_tables(Context& context, Work& work, std::string source_snapshot,
                       std::string target_snapshot) {
    pq::Connection source = co_await run::open_source(context);
    pq::Connection target = co_await run::open_target(context, context.target_database());
    co_await adopt(source, source_snapshot);
    co_await adopt(target, target_snapshot);
    const rows::HashedText hashed = rows::hashed_text(source, target);
    while (!work.tables.empty()) {
        const Compared compared = std::move(work.tables.front());
        work.tables.pop_front();
        const rows::Tables on_target = compared.on_target();
        rows::TableChecksum ours, theirs;
        co_await flow::join(measure(source, compared.source, work.checksum, hashed, ours),
                            measure(target, on_target, work.checksum, hashed, theirs));
        report::TableVerification line;
        line.table = compared.name;
        line.rows_source = ours.rows;
        line.rows_target = theirs.rows;
        line.same = ours == theirs;
        if (work.checksum) {
            line.checksum_source = ours.sum;
            line.checksum_target = theirs.sum;
            line.checksum_recorded = work.recorded->checksum_of(compared.source);
            line.changed_by = who_changed(line);
        }
        work.report->tables.push_back(std::move(line));
    }
}

// As many pairs of sessions as wanted, all taking from one list.
Task<void> read_with(Context& context, Work& work, std::string source_snapshot, std::string target_snapshot,
                     int pairs) {
    if (pairs <= 1) {
        co_await read_tables(context, work, source_snapshot, target_snapshot);
        co_return;
    }
    co_await flow::join(read_tables(context, work, source_snapshot, target_snapshot),
                        read_with(context, work, source_snapshot, target_snapshot, pairs - 1));
}

// What only the target has and no run has brought along was made by somebody since.
std::vector<merge::Difference> made_since(const model::Database& planned, const Recorded& recorded) {
    std::vector<merge::Difference> found;
    for (const model::Object& object : planned.objects) {
        const std::string name = model::display_name(object);
        if (object.extra && !recorded.carried.contains(name)) found.push_back({name, "unexpected", "", name});
        for (const std::string& element : object.extra_elements)
            if (const std::string what = run::carried_element(object, element);
                !recorded.carried.contains(what))
                found.push_back({name, "unexpected", "", what});
    }
    return found;
}

void compare_schemas(const run::Catalogs& catalogs, const Recorded& recorded, report::VerifyReport& report) {
    std::vector<merge::Difference> all = merge::compare(catalogs.planned.database, catalogs.target);
    std::vector<merge::Difference> since = made_since(catalogs.planned.database, recorded);
    std::move(since.begin(), since.end(), std::back_inserter(all));
    for (merge::Difference& found : all) {
        report::SchemaDifference difference;
        difference.recorded = recorded.differing.contains(found.object);
        difference.object = std::move(found.object);
        difference.what = std::move(found.what);
        difference.source = std::move(found.planned);
        difference.target = std::move(found.found);
        report.schema.push_back(std::move(difference));
    }
}

RefreshOptions as_refresh_options(const VerifyOptions& options) {
    RefreshOptions common;
    common.connect = options.connect;
    common.jobs = options.jobs;
    common.with_kinds = options.with_kinds;
    return common;
}

Task<report::VerifyReport> verify_on_main(VerifyOptions options, report::Observer& observer,
                                          flow::Loops& loops) {
    Context context(as_refresh_options(options), observer, loops);
    report::VerifyReport report;
    report.source = context.report.source;
    report.target = context.report.target;
    Side source, target;
    co_await open_side(co_await run::open_source(context), source);
    report.read_source = std::chrono::system_clock::now();
    co_await open_side(co_await run::open_target(context, context.target_database()), target);
    report.read_target = std::chrono::system_clock::now();

    context.step("reading both catalogs");
    run::Catalogs catalogs;
    catalog::ReadOptions read_options;
    read_options.sequence_values = false;
    catalogs.source = co_await catalog::read(*source.keeper, read_options);
    read_options.is_target = true;
    catalogs.target = co_await catalog::read(*target.keeper, read_options);
    catalogs.settable_roles = co_await run::read_settable_roles(*target.keeper);
    catalogs.not_creatable = co_await run::read_not_creatable(*target.keeper, catalogs.source);
    catalogs.recorded = co_await run::read_identities(*target.keeper);
    run::compare_catalogs(context, catalogs);
    const Recorded recorded = read_recorded(co_await run::read_runs(*target.keeper));
    report.run_id = recorded.run_id;
    if (recorded.run_id.empty())
        report.notes.push_back("no run of pgsluice made this target: nothing is recorded");
    compare_schemas(catalogs, recorded, report);

    context.step(options.rows == VerifyDepth::checksum ? "reading every row on both sides"
                                                       : "counting rows on both sides");
    Work work;
    work.checksum = options.rows == VerifyDepth::checksum;
    work.recorded = &recorded;
    work.report = &report;
    work.tables = tables_to_compare(catalogs.source, catalogs.target);
    const int pairs = options.jobs > 0 ? options.jobs : std::min(usable_cores(), limits::lanes_default_max);
    const int useful =
        static_cast<int>(std::min<std::size_t>(work.tables.size(), static_cast<std::size_t>(pairs)));
    co_await read_with(context, work, source.snapshot, target.snapshot, useful);
    std::sort(report.tables.begin(), report.tables.end(),
              [](const auto& a, const auto& b) { return a.table < b.table; });
    for (const report::Noted& note : context.report.notes)
        report.notes.push_back(note.object + ": " + note.text);
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - context.began).count();
    co_return report;
}

} // namespace

Task<report::VerifyReport> verify(VerifyOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), verify_on_main(std::move(options), observer, loops));
}

report::VerifyReport verify_blocking(VerifyOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop,
                            [&](flow::Loops& loops) { return verify_on_main(options, observer, loops); });
}

} // namespace pgsluice
