#include "upkeep_text.hpp"

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"
#include "display_width.hpp"

namespace pgsluice::cli {

namespace {

std::string note_lines(const std::vector<std::string>& notes) {
    std::string text;
    for (const std::string& note : notes) text += "note: " + one_line(note) + "\n";
    return text;
}

std::string where(const report::MarkReport& mark) {
    std::string text = "database " + one_line(mark.database) + " on " + one_line(mark.host);
    if (!mark.port.empty()) text += ":" + one_line(mark.port);
    return text;
}

} // namespace

std::string rollback_text(const report::RollbackReport& report) {
    const std::string target = one_line(report.target), previous = one_line(report.previous);
    return fmt::format(
               "{} and {} have exchanged their names; {} was away {:.2f} s. Another rollback undoes this.\n",
               target, previous, target, report.seconds_away) +
           note_lines(report.notes);
}

std::string cleanup_text(const report::CleanupReport& report) {
    std::string text;
    for (const report::DroppedDatabase& database : report.dropped)
        text += fmt::format("dropped {} ({}, {})\n", one_line(database.name), one_line(database.what),
                            format_size(database.bytes));
    for (const std::string& kept : report.kept) text += "kept " + one_line(kept) + "\n";
    if (text.empty()) text = "nothing to drop\n";
    return text + note_lines(report.notes);
}

std::string history_text(const report::HistoryReport& report) {
    if (report.runs.empty()) return "no run of pgsluice is recorded in " + one_line(report.target) + "\n";
    std::string text;
    for (const report::HistoryEntry& run : report.runs) {
        std::string took;
        if (run.finished != WallTime{})
            took = format_length(
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(run.finished - run.started));
        text +=
            fmt::format("{}  {}  {}  {}  from {}\n", format_rfc3339(run.started), one_line(run.run_id),
                        fit_to_width(one_line(run.state), 11), fit_to_width(took, 12), one_line(run.source));
    }
    return text;
}

// The SQL as it is, to be piped into psql; whatever else is a comment.
std::string pending_text(const report::PendingReport& report) {
    const auto comment = [](const std::string& line) { return "-- " + one_line(line) + "\n"; };
    if (report.pending.empty() && report.rejected.empty())
        return comment("nothing of " + report.target + " is pending");
    std::string text;
    for (const report::PendingLine& line : report.pending) {
        text += comment(line.object);
        text += comment("  " + line.reason);
        std::string facts = "  " + line.why + ", since " + line.since + ", run " + line.run_id;
        if (!line.last_tried.empty()) facts += ", tried " + line.last_tried;
        text += comment(facts);
        text += line.sql.empty() ? comment("  pgsluice cannot write its SQL") : line.sql + "\n";
        text += "\n";
    }
    for (const report::RejectedLine& line : report.rejected)
        text += comment(fmt::format("{} row{} of {} in pgsluice.rejected: {}", format_count(line.rows),
                                    line.rows == 1 ? "" : "s", line.table, line.reason));
    return text;
}

std::string mark_question(const report::MarkReport& found) {
    std::string text = fmt::format("This allows pgsluice to replace {} ({})\n", where(found),
                                   format_size(found.database_bytes));
    text += "with a copy of " + one_line(found.allowed_source) + ".\n";
    if (!found.previous_source.empty())
        text += "Until now it could be replaced with " + one_line(found.previous_source) + ".\n";
    return text;
}

std::string mark_text(const report::MarkReport& marked) {
    return fmt::format("{} may now be replaced with a copy of {}\n", where(marked),
                       one_line(marked.allowed_source));
}

} // namespace pgsluice::cli
