#include "check_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/size.hpp"
#include "base/text.hpp"

namespace pgsluice::cli {

namespace {

std::string facts(const char* side, const report::ServerFacts& facts) {
    std::string text = fmt::format("{}  database {} on {}:{} as {}\n", side, one_line(facts.database),
                                   one_line(facts.host), one_line(facts.port), one_line(facts.role));
    text += fmt::format(
        "        PostgreSQL {}{}, {}, {}\n", one_line(facts.version), facts.standby ? ", standby" : "",
        facts.tls.empty() ? "not encrypted" : one_line(facts.tls), format_size(facts.database_bytes));
    return text;
}

void add_item(std::string& text, const report::CheckItem& item) {
    text += fmt::format("  {:<8}{:<7} {}", item.ok ? "ok" : "MISSING",
                        item.side == report::Side::source ? "source" : "target", one_line(item.right));
    if (!item.ok && item.needed == report::Needed::at_the_swap) text += " (at the swap)";
    if (!item.note.empty()) text += ": " + one_line(item.note);
    text += "\n";
    if (!item.ok && !item.granted_by.empty()) text += "    HINT: " + one_line(item.granted_by) + "\n";
}

} // namespace

std::string check_text(const report::CheckReport& report) {
    const auto missing =
        std::count_if(report.items.begin(), report.items.end(), [](const auto& item) { return !item.ok; });
    const bool stops = std::any_of(report.items.begin(), report.items.end(),
                                   [](const auto& item) { return !item.ok && item.stops; });
    std::string text = facts("source", report.source) + facts("target", report.target) + "\n";
    // What is missing first: it is why somebody reads this.
    for (const bool ok : {false, true})
        for (const report::CheckItem& item : report.items)
            if (item.ok == ok) add_item(text, item);
    for (const std::string& note : report.notes) text += "  note    " + one_line(note) + "\n";
    text += missing == 0
                ? "\nNothing is missing.\n"
                : fmt::format("\n{} of {} missing: refresh would {}.\n", missing, report.items.size(),
                              stops ? "stop before it writes anything"
                                    : "start, and may have to give up at the swap");
    return text;
}

} // namespace pgsluice::cli
