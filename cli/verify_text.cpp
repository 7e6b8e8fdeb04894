#include "verify_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"

namespace pgsluice::cli {

namespace {

const char* changed_by(report::ChangedBy who) {
    switch (who) {
    case report::ChangedBy::nobody: return ", unchanged since the refresh on both sides";
    case report::ChangedBy::source: return ", changed on the source since the refresh";
    case report::ChangedBy::target: return ", changed on the target since the refresh";
    case report::ChangedBy::both: return ", changed on both sides since the refresh";
    case report::ChangedBy::unknown: break;
    }
    return "";
}

std::string table_line(const report::TableVerification& table) {
    if (table.same)
        return fmt::format("  same     {}  {} rows\n", one_line(table.table),
                           format_count(table.rows_source));
    std::string line =
        fmt::format("  differs  {}  {} rows on the source, {} on the target", one_line(table.table),
                    format_count(table.rows_source), format_count(table.rows_target));
    if (table.rows_source == table.rows_target && table.checksum_source) line += ", checksums differ";
    return line + changed_by(table.changed_by) + "\n";
}

std::string schema_line(const report::SchemaDifference& difference) {
    const auto side = [](const std::string& text) {
        return text.empty() ? std::string("nothing") : one_line(text);
    };
    std::string line = fmt::format("  {}: {}{}\n", one_line(difference.object), one_line(difference.what),
                                   difference.recorded ? " (recorded by the refresh)" : "");
    if (difference.source.empty() && difference.target.empty()) return line;
    return line + "      source: " + side(difference.source) + "\n      target: " + side(difference.target) +
           "\n";
}

} // namespace

std::string verify_text(const report::VerifyReport& report, bool in_full) {
    std::string text = fmt::format("source  {}, read {}\ntarget  {}, read {}\n\n", one_line(report.source),
                                   format_rfc3339(report.read_source), one_line(report.target),
                                   format_rfc3339(report.read_target));
    const auto same = static_cast<std::uint64_t>(std::count_if(report.tables.begin(), report.tables.end(),
                                                               [](const auto& table) { return table.same; }));
    text += fmt::format("Rows: {} tables the same, {} differ\n", format_count(same),
                        format_count(report.tables.size() - same));
    for (const report::TableVerification& table : report.tables)
        if (in_full || !table.same) text += table_line(table);
    text += report.schema.empty()
                ? "\nSchema: the same\n"
                : fmt::format("\nSchema: {} differences\n", format_count(report.schema.size()));
    for (const report::SchemaDifference& difference : report.schema) text += schema_line(difference);
    if (report.run_checksums_differ)
        text += fmt::format("\nThe checksums that run {} recorded differ: its copy was not true.\n",
                            one_line(report.run_id));
    for (const std::string& note : report.notes) text += "\nnote: " + one_line(note) + "\n";
    return text;
}

} // namespace pgsluice::cli
