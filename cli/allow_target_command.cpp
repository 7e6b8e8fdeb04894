#include <istream>
#include <ostream>

#include "base/text.hpp"
#include "session.hpp"
#include "upkeep_text.hpp"

namespace pgsluice::cli {

namespace {

// The name is typed, not confirmed with y: fingers know y by heart.
std::string ask_for_name(Session& session, const MarkReport& found) {
    session.ticker.finish(""); // nothing may draw over the question
    std::ostream& out = session.world.err;
    out << mark_question(found) << "Type the name of the database to go on: " << std::flush;
    std::string line;
    if (session.world.await_input) session.world.await_input();
    std::getline(session.world.in, line);
    if (line == found.database) return line;
    throw Error{ErrorKind::refused, "what was typed is not the name of the target database"}
        .object("database " + one_line(found.database))
        .hint("nothing was changed");
}

} // namespace

int allow_target_command(Session& session) {
    const Arguments& arguments = session.arguments;
    if (arguments.yes.empty() && !session.world.in_is_terminal)
        throw Error{ErrorKind::usage, "there is no terminal to type the target database's name on"}.hint(
            "answer with --yes NAME");
    AllowTargetOptions options;
    options.connect = arguments.refresh.connect;
    options.allowed_source = arguments.allowed_source;
    const MarkReport found = session.api.inspect_target(options, session.ticker);
    options.confirmed_name = arguments.yes;
    if (arguments.yes.empty())
        options.confirmed_name = ask_for_name(session, found);
    else if (arguments.yes != found.database)
        throw Error{ErrorKind::usage, "--yes does not name the target database"}
            .object("database " + one_line(found.database))
            .hint("nothing was changed");
    const MarkReport marked = session.api.allow_target(options, session.ticker);
    session.ticker.finish("");
    session.answer(mark_text(marked), to_json(marked));
    return 0;
}

} // namespace pgsluice::cli
