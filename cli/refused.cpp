#include "refused.hpp"

#include <string_view>

#include "base/error.hpp"

namespace pgsluice::cli {

namespace {

struct RefusedWord {
    std::string_view word, why, hint;
};

constexpr RefusedWord options[] = {
    {"--migrate", "this release cannot run migrations against the new database",
     "restart the service after the refresh, so that it applies its migrations"},
    {"--drift", "this release always takes the source's definitions and its migration history",
     "pgsluice plan lists what differs"},
    {"--no-swap", "this release always swaps when the new database is complete",
     "pgsluice rollback puts the old database back"},
    {"--discard-waiting", "this release never leaves a database waiting for its swap",
     "leave the option out"},
};

constexpr RefusedWord commands[] = {
    {"swap", "this release always swaps at the end of refresh", "run pgsluice refresh"},
};

[[noreturn]] void refuse(std::string_view sort, const RefusedWord& refused) {
    throw Error{ErrorKind::usage, std::string(sort) + " " + std::string(refused.word) +
                                      " is not available yet: " + std::string(refused.why)}
        .hint(std::string(refused.hint));
}

} // namespace

void refuse_next_release(const std::vector<std::string>& words) {
    bool command_seen = false;
    for (const std::string& word : words) {
        if (word == "--") return;
        if (!word.starts_with("-")) {
            if (!command_seen)
                for (const RefusedWord& refused : commands)
                    if (word == refused.word) refuse("command", refused);
            command_seen = true;
            continue;
        }
        const std::string_view name = std::string_view(word).substr(0, word.find('='));
        for (const RefusedWord& refused : options)
            if (name == refused.word) refuse("option", refused);
    }
}

} // namespace pgsluice::cli
