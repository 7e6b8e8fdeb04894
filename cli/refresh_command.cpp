#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "report/totals.hpp"
#include "secrets.hpp"
#include "session.hpp"

namespace pgsluice::cli {

namespace {

// Of the options that were given, those that lead to the target.
std::string swap_command_line(const std::vector<std::string>& words) {
    constexpr std::array kept = {"--target", "--target-password-env", "--maintenance-db", "--allow-target"};
    std::string line = "pgsluice swap";
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (std::find(kept.begin(), kept.end(), words[i]) != kept.end())
            line += " " + words[i] + " " + shell_quote(one_line(words[i + 1]));
    if (std::find(words.begin(), words.end(), "--target") == words.end())
        line += "   # with PGSLUICE_TARGET set as now";
    return line;
}

} // namespace

int refresh_command(Session& session) {
    const RefreshReport report = session.api.refresh(session.arguments.refresh, session.ticker);
    session.report = to_json(report);
    if (report.waiting) {
        const std::string swap = swap_command_line(session.arguments.refresh_words);
        session.ticker.finish("waiting: " + report::summary(report));
        session.world.out << one_line(report.waiting->database) << '\n' << swap << '\n' << std::flush;
    } else {
        session.ticker.finish("done: " + report::summary(report));
    }
    return session.arguments.refresh.strict && !report.remarks.empty() ? 3 : 0;
}

} // namespace pgsluice::cli
