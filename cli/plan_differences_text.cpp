#include "plan_differences_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"

namespace pgsluice::cli {

namespace {

constexpr std::size_t names_max = 40; // of a list that is no loss
constexpr std::size_t definition_lines_max = 15;

void add_title(std::string& text, const std::string& title, std::size_t count) {
    text += fmt::format("\n{} ({})\n", title, format_count(count));
}

void add_names(std::string& text, const std::string& title, const std::vector<std::string>& names,
               std::size_t max) {
    if (names.empty()) return;
    add_title(text, title, names.size());
    const std::size_t shown = std::min(max, names.size());
    for (std::size_t i = 0; i < shown; ++i) text += "  " + one_line(names[i]) + "\n";
    if (shown < names.size())
        text += fmt::format("  and {} more: --verbose lists them\n", format_count(names.size() - shown));
}

// Each line of a definition behind the side it comes from. A definition may hold anything a name may.
void add_definition(std::string& text, const char* side, const std::string& definition, bool in_full) {
    if (definition.empty()) {
        text += fmt::format("    {} | (none)\n", side);
        return;
    }
    std::size_t lines = 0;
    for (std::size_t start = 0; start <= definition.size();) {
        const std::size_t end = std::min(definition.find('\n', start), definition.size());
        if (++lines > definition_lines_max && !in_full) {
            text += fmt::format("    {} | ... --verbose prints the rest\n", side);
            return;
        }
        text += fmt::format("    {} | {}\n", side,
                            one_line(std::string_view(definition).substr(start, end - start)));
        start = end + 1;
    }
}

void add_merged(std::string& text, const report::PlanReport& report) {
    const auto& tables = report.merge.merged;
    if (tables.empty()) return;
    add_title(text, "Tables into which rows of the target are merged, or whose references follow",
              tables.size());
    for (const report::MergedTable& table : tables) {
        text += "  " + one_line(table.table) + ": " + in_words(table) + "\n";
        for (const std::string& reason : table.reasons) text += "    " + one_line(reason) + "\n";
    }
}

void add_drift(std::string& text, const report::PlanReport& report, bool in_full) {
    if (report.drift.empty()) return;
    add_title(text, "Shared objects that differ; the source's definition is taken", report.drift.size());
    for (const report::DriftItem& item : report.drift) text += "  " + one_line(item.object) + "\n";
    text += "  Their definitions:\n";
    for (const report::DriftItem& item : report.drift) {
        text += "  " + one_line(item.object) + "\n";
        add_definition(text, "source", item.source_definition, in_full);
        add_definition(text, "target", item.target_definition, in_full);
    }
}

std::string listed(const std::vector<std::string>& names) { return one_line(join(names, ", ")); }

void add_columns(std::string& text, const report::PlanReport& report) {
    if (!report.columns.empty()) add_title(text, "Tables whose columns differ", report.columns.size());
    for (const report::ColumnDifference& item : report.columns) {
        text += "  " + one_line(item.table) + "\n";
        if (!item.only_source.empty()) text += "    only on the source: " + listed(item.only_source) + "\n";
        if (!item.only_target.empty()) text += "    only on the target: " + listed(item.only_target) + "\n";
    }
    if (!report.enum_labels.empty()) add_title(text, "Enums whose labels differ", report.enum_labels.size());
    for (const report::LabelDifference& item : report.enum_labels) {
        text += "  " + one_line(item.type) + "\n";
        if (!item.only_source.empty()) text += "    only on the source: " + listed(item.only_source) + "\n";
        if (!item.only_target.empty()) text += "    only on the target: " + listed(item.only_target) + "\n";
    }
}

void add_migrations_of(std::string& text, const char* title, const std::vector<report::MigrationItem>& items,
                       bool in_full) {
    if (items.empty()) return;
    text += fmt::format("    {} ({})\n", title, format_count(items.size()));
    const std::size_t shown = in_full ? items.size() : std::min(names_max, items.size());
    for (std::size_t i = 0; i < shown; ++i)
        text += "      " + one_line(items[i].version) + "  " + one_line(items[i].description) + "\n";
    if (shown < items.size())
        text += fmt::format("      and {} more: --verbose lists them\n", format_count(items.size() - shown));
}

std::string action_text(const std::string& action) {
    if (action == "replay")
        return "the source's history is taken, what only the target has is left to the service's migrations";
    if (action == "carry") return "the target's entries are carried behind the source's";
    if (action == "migrate") return "the command of --migrate runs against the new database";
    if (action == "fail") return "refresh refuses";
    return "the source's history is taken";
}

void add_migrations(std::string& text, const report::PlanReport& report, bool in_full) {
    if (report.migrations.empty()) return;
    text += "\nMigrations\n";
    if (report.merge.applied_again > 0)
        text +=
            fmt::format("  {} migration{} will be applied again at the service's next restart\n",
                        format_count(report.merge.applied_again), report.merge.applied_again == 1 ? "" : "s");
    for (const report::HistoryDifference& history : report.migrations) {
        text += "  " + one_line(history.table) + (history.tool.empty() ? "" : " (" + history.tool + ")");
        if (history.equal())
            text += ": equal\n";
        else
            text += fmt::format(": {}; {}\n", history.standing, action_text(history.action));
        add_migrations_of(text, "only on the source", history.only_source, in_full);
        add_migrations_of(text, "only on the target", history.only_target, in_full);
        add_migrations_of(text, "one version with two checksums", history.different_checksum, in_full);
        add_migrations_of(text, "failed or repeatable, change nothing", history.failed_or_repeatable,
                          in_full);
    }
}

} // namespace

void add_differences(std::string& text, const report::PlanReport& report, bool in_full) {
    add_merged(text, report);
    const std::size_t all = static_cast<std::size_t>(-1), max = in_full ? all : names_max;
    add_names(text, "Only the target has", report.only_target, all);
    const std::string since = report.recorded_at.empty() ? "the last run" : one_line(report.recorded_at);
    add_names(text, "Dropped on the source since " + since + ", so not carried", report.dropped_in_prod, all);
    add_names(text, "Only the source has", report.only_source, max);
    std::vector<std::string> waiting;
    for (const report::PendingItem& item : report.merge.pending)
        waiting.push_back(item.object + ": " + item.reason);
    add_names(text, "Not carried; its SQL will be in pgsluice.pending", waiting, all);
    add_columns(text, report);
    add_drift(text, report, in_full);
    add_migrations(text, report, in_full);
}

} // namespace pgsluice::cli
