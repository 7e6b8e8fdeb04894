#include "plan_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"
#include "plan_differences_text.hpp"
#include "secrets.hpp"

namespace pgsluice::cli {

namespace {

using report::PlanReport;

void add_head(std::string& text, const PlanReport& report) {
    const auto fact = [&](const char* name, const std::string& value) {
        text += fmt::format("  {:<8}{}\n", name, value);
    };
    const auto side = [](const std::string& display, const std::string& version) {
        return one_line(display) + (version.empty() ? "" : ", PostgreSQL " + one_line(version));
    };
    text += "What refresh would do. Nothing was changed and nothing is locked.\n\n";
    fact("from", side(report.source, report.source_version));
    fact("to", side(report.target, report.target_version));
    fact("method",
         one_line(report.method) + (report.method_why.empty() ? "" : ": " + one_line(report.method_why)));
    fact("rows", fmt::format("about {}, {} to copy", format_count(report.rows_estimated),
                             format_size(report.bytes_estimated)));
    std::string disk = fmt::format("{} more needed on the target's server, {} kept afterwards",
                                   format_size(report.disk_bytes_now), format_size(report.disk_bytes_kept));
    if (report.disk_bytes_freed)
        disk += fmt::format("; {} freed first by dropping {}", format_size(*report.disk_bytes_freed),
                            one_line(report.previous));
    fact("disk", disk);
    fact("work", fmt::format("{} tasks in {} lane{}, {} index build{} at once{}", format_count(report.tasks),
                             report.lanes, report.lanes == 1 ? "" : "s", report.index_jobs,
                             report.index_jobs == 1 ? "" : "s",
                             report.lanes_why.empty() ? "" : " (" + one_line(report.lanes_why) + ")"));
}

void add_refusals(std::string& text, const PlanReport& report) {
    if (report.refusals.empty()) return;
    text += fmt::format("\nREFRESH WOULD REFUSE, for {} reason{}:\n", report.refusals.size(),
                        report.refusals.size() == 1 ? "" : "s");
    for (const report::Refusal& refusal : report.refusals) {
        text += "  " + (refusal.object.empty() ? "" : one_line(refusal.object) + ": ") +
                one_line(refusal.text) + "\n";
        if (!refusal.hint.empty()) text += "    HINT: " + one_line(refusal.hint) + "\n";
    }
}

void add_losing(std::string& text, const std::string& title, const std::vector<report::LosingTable>& tables) {
    if (tables.empty()) return;
    text += fmt::format("\n{} ({})\n", title, format_count(tables.size()));
    for (const report::LosingTable& table : tables)
        text +=
            fmt::format("  {}, about {} rows\n", one_line(table.table), format_count(table.rows_estimated));
}

void add_losses(std::string& text, const PlanReport& report) {
    add_losing(
        text,
        "Tables of the target whose rows do not come along; afterwards they are in the old database only",
        report.losing);
    if (report.previous.empty()) return;
    text += fmt::format("\nBefore the build, the old database {} of the last run is dropped.\n",
                        one_line(report.previous));
    add_losing(text, "Tables whose only copy goes with it", report.only_in_previous);
}

void add_reasons(std::string& text, const char* title, const std::vector<report::NamedReason>& items) {
    if (items.empty()) return;
    text += fmt::format("\n{} ({})\n", title, format_count(items.size()));
    for (const report::NamedReason& item : items) {
        text +=
            "  " + one_line(item.object) + (item.reason.empty() ? "" : ": " + one_line(item.reason)) + "\n";
        if (!item.hint.empty()) text += "    HINT: " + one_line(item.hint) + "\n";
    }
}

void add_created(std::string& text, const PlanReport& report) {
    std::uint64_t objects = 0;
    for (const report::KindCount& item : report.create) objects += item.count;
    text += fmt::format("\nThe new database gets {} objects\n", format_count(objects));
    std::string line;
    for (const report::KindCount& item : report.create) {
        if (item.count == 0) continue;
        const std::string entry = fmt::format("{}: {}", one_line(item.kind), format_count(item.count));
        if (line.size() + entry.size() > 100) {
            text += "  " + line + ",\n";
            line.clear();
        }
        line += (line.empty() ? "" : ", ") + entry;
    }
    if (!line.empty()) text += "  " + line + "\n";
}

bool has(const std::vector<std::string>& words, const std::string& name) {
    return std::find(words.begin(), words.end(), name) != words.end();
}

} // namespace

std::string refresh_command_line(const PlanReport& report, const std::vector<std::string>& refresh_words) {
    std::string line = "pgsluice refresh";
    for (const std::string& word : refresh_words) line += " " + shell_quote(one_line(word));
    // What the engine adds, but for options that were given.
    bool skip = false;
    for (const std::string& word : report.refresh_arguments) {
        if (word.starts_with("--")) skip = has(refresh_words, word);
        if (!skip) line += " " + shell_quote(one_line(word));
    }
    return line;
}

std::string plan_text(const PlanReport& report, const std::vector<std::string>& refresh_words, bool in_full) {
    std::string text;
    add_head(text, report);
    add_refusals(text, report);
    add_losses(text, report);
    add_differences(text, report, in_full);
    add_reasons(text, "Objects of the source that pgsluice cannot create yet", report.unsupported_source);
    add_reasons(text, "Objects of the target that pgsluice does not know yet", report.unsupported_target);
    add_reasons(text, "Left out, because it reaches into the source's world", report.wires_left_out);
    add_created(text, report);
    if (!report.notes.empty()) text += "\nNotes\n";
    for (const std::string& note : report.notes) text += "  " + one_line(note) + "\n";
    text +=
        report.refusals.empty() ? "\nThe refresh:\n" : "\nThe refresh, which would refuse as things are:\n";
    std::string variables;
    if (!has(refresh_words, "--source")) variables = "PGSLUICE_SOURCE";
    if (!has(refresh_words, "--target"))
        variables += variables.empty() ? "PGSLUICE_TARGET" : " and PGSLUICE_TARGET";
    if (!variables.empty()) text += "  # with " + variables + " set as now\n";
    return text + "  " + refresh_command_line(report, refresh_words) + "\n";
}

} // namespace pgsluice::cli
