#include "api/allow_target.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "run/blocking.hpp"
#include "run/journal.hpp"
#include "run/rights.hpp"
#include "run/target_session.hpp"

namespace pgsluice {

namespace {

using flow::Task;
using run::Context;

struct AllowedSource {
    std::string host, database;
};

AllowedSource allowed_source(const AllowTargetOptions& options) {
    AllowedSource source;
    if (!options.allowed_source.empty()) {
        // The host may be a socket's directory, so the name begins after the last slash.
        const auto slash = options.allowed_source.rfind('/');
        if (slash == std::string::npos || slash + 1 == options.allowed_source.size())
            throw Error{ErrorKind::usage, "the allowed source is HOST/DBNAME"}.object(
                one_line(options.allowed_source));
        source.host = options.allowed_source.substr(0, slash);
        source.database = options.allowed_source.substr(slash + 1);
        return source;
    }
    if (options.connect.source.empty())
        throw Error{ErrorKind::usage, "which source may be copied over the target is not said"}.hint(
            "give --source CONNINFO (it is not connected to) or the allowed HOST/DBNAME");
    const pq::Conninfo conninfo = pq::Conninfo::parse(options.connect.source);
    source.host = conninfo.host();
    source.database = conninfo.database();
    return source;
}

Task<report::MarkReport> inspect(Context& context, pq::Connection& session) {
    const report::ServerFacts facts = co_await run::read_server_facts(session);
    report::MarkReport report;
    report.host = facts.host;
    report.port = facts.port;
    report.database = facts.database;
    report.role = facts.role;
    report.system_identifier = facts.system_identifier;
    report.database_bytes = facts.database_bytes;
    const std::optional<run::Mark> mark = co_await run::read_mark(session);
    if (mark && mark->system_identifier == facts.system_identifier &&
        mark->database == context.target_database())
        report.previous_source = mark->allowed_source_host + "/" + mark->allowed_source_database;
    co_return report;
}

Task<report::MarkReport> allow_on_main(AllowTargetOptions options, report::Observer& observer,
                                       flow::Loops& loops, bool write) {
    RefreshOptions common;
    common.connect = options.connect;
    const AllowedSource source = allowed_source(options);
    Context context(std::move(common), observer, loops, run::Sides::target);
    pq::Connection session = co_await run::open_target(context, context.target_database());
    report::MarkReport report = co_await inspect(context, session);
    report.allowed_source = source.host + "/" + source.database;
    if (!write) co_return report;
    if (options.confirmed_name != context.target_database())
        throw Error{ErrorKind::refused, "the name typed back is not the target's"}
            .object("database " + one_line(context.target_database()))
            .hint("nothing was marked: type the name of the database that may be overwritten");
    co_await run::create_journal(session);
    run::Mark mark;
    mark.system_identifier = report.system_identifier;
    mark.database = context.target_database();
    mark.allowed_source_host = source.host;
    mark.allowed_source_database = source.database;
    co_await run::write_mark(session, mark);
    report.marked = true;
    co_return report;
}

} // namespace

Task<report::MarkReport> inspect_target(AllowTargetOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), allow_on_main(std::move(options), observer, loops, false));
}

report::MarkReport inspect_target_blocking(AllowTargetOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop, [&](flow::Loops& loops) {
        return allow_on_main(options, observer, loops, false);
    });
}

Task<report::MarkReport> allow_target(AllowTargetOptions options, report::Observer& observer) {
    flow::Loops loops(1, 1);
    co_return co_await flow::on(loops.main(), allow_on_main(std::move(options), observer, loops, true));
}

report::MarkReport allow_target_blocking(AllowTargetOptions options, report::Observer& observer) {
    return run::run_blocked(1, options.connect.stop, [&](flow::Loops& loops) {
        return allow_on_main(options, observer, loops, true);
    });
}

} // namespace pgsluice
