#include "run/context.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/run_id.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

pq::Conninfo parse_side(const std::string& text, const std::string& password, const char* side) {
    if (text.empty())
        throw Error{ErrorKind::usage, std::string("no ") + side + " is named"}.hint(
            std::string("give --") + side + " CONNINFO or the environment variable PGSLUICE_" +
            (std::string(side) == "source" ? "SOURCE" : "TARGET"));
    pq::Conninfo conninfo;
    try {
        conninfo = pq::Conninfo::parse(text);
    } catch (Error& error) {
        throw error.during(side);
    }
    if (conninfo.database().empty())
        throw Error{ErrorKind::usage, std::string("the ") + side + " names no database"}.hint(
            "add dbname=NAME or a path to the URI: a default would be too easy to get wrong");
    if (!password.empty()) conninfo = conninfo.with_password(password);
    return conninfo;
}

bool cannot_enter(const Error& error) {
    // 3D000 no such database, 42501 no CONNECT privilege, 28000 no pg_hba line, 55000 not accepting
    // connections.
    const std::string& code = error.sqlstate();
    return code == "3D000" || code == "42501" || code == "28000" || code == "55000";
}

} // namespace

Context::Context(RefreshOptions wanted, report::Observer& listener, flow::Loops& threads, Sides sides)
    : options(std::move(wanted)), observer(listener), loops(threads), run_id(new_run_id()),
      source(sides == Sides::both
                 ? parse_side(options.connect.source, options.connect.source_password, "source")
                 : pq::Conninfo{}),
      target(parse_side(options.connect.target, options.connect.target_password, "target")),
      began(std::chrono::steady_clock::now()) {
    report.run_id = run_id;
    if (sides == Sides::both) report.source = source.display();
    report.target = target.display();
    report.started = std::chrono::system_clock::now();
}

pq::SessionOptions Context::session(pq::Side side) const {
    pq::SessionOptions session;
    session.side = side;
    session.helpers = loops.helpers();
    return session;
}

void Context::step(std::string text) { emit(report::StepStarted{std::move(text)}); }

void Context::note(std::string object, std::string text) {
    report.notes.push_back({std::move(object), std::move(text)});
    emit(report.notes.back());
}

void Context::remark(std::string object, std::string text, std::string hint, std::string sql) {
    report.remarks.push_back({std::move(object), std::move(text), std::move(hint), std::move(sql)});
    emit(report.remarks.back());
}

Task<pq::Connection> open_source(Context& context) {
    const pq::SessionOptions session = context.session(pq::Side::source);
    pq::Connection connection = co_await pq::Connection::open(context.source, session);
    context.source = connection.conninfo();
    co_return connection;
}

Task<pq::Connection> open_target(Context& context, std::string database) {
    const pq::SessionOptions session = context.session(pq::Side::target);
    const pq::Conninfo conninfo = context.target.with_database(database);
    pq::Connection connection = co_await pq::Connection::open(conninfo, session);
    if (const auto password = connection.conninfo().get("password"))
        context.target = context.target.with_password(*password);
    co_return connection;
}

namespace {

// Databases that our role may enter, other than the ones a run renames; template1 last, since CREATE DATABASE
// of others waits for its sessions to end.
Task<std::vector<std::string>> enterable_databases(Context& context) {
    pq::Connection session = co_await open_target(context, context.target_database());
    const std::string sql = "select datname from pg_catalog.pg_database where datallowconn and datname <> " +
                            pq::quote_literal(context.target_database()) + " and datname <> " +
                            pq::quote_literal(previous_database_name(context.target_database())) +
                            " and pg_catalog.has_database_privilege(oid, 'CONNECT') order by datname = "
                            "'template1', datname limit 20";
    const pq::Rows rows = co_await session.rows(sql);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rows.size(); ++i) names.emplace_back(rows.at(i, std::size_t{0}));
    co_return names;
}

Task<std::optional<pq::Connection>> try_maintenance(Context& context, std::string database) {
    std::optional<pq::Connection> connection;
    try {
        connection = co_await open_target(context, database);
        context.maintenance = context.target.with_database(database);
    } catch (const Error& error) {
        if (!cannot_enter(error)) throw;
    }
    co_return connection;
}

} // namespace

Task<pq::Connection> open_maintenance(Context& context) {
    std::string wanted = context.options.connect.maintenance_db;
    if (wanted == context.target_database())
        throw Error{ErrorKind::usage, "--maintenance-db names the target itself"}.hint(
            "a session in the target would keep the swap waiting: name another database of that server");
    if (!context.maintenance.database().empty()) wanted = context.maintenance.database();
    if (!wanted.empty()) {
        pq::Connection chosen = co_await open_target(context, wanted);
        context.maintenance = context.target.with_database(wanted);
        co_return chosen;
    }
    std::vector<std::string> names;
    if (context.target_database() != "postgres") names.push_back("postgres");
    for (std::size_t i = 0; i < names.size() || i <= 1; ++i) {
        if (i == names.size()) { // postgres did not work: ask the target which others there are
            const std::vector<std::string> others = co_await enterable_databases(context);
            names.insert(names.end(), others.begin(), others.end());
            if (i == names.size()) break;
        }
        std::optional<pq::Connection> found = co_await try_maintenance(context, names[i]);
        if (found) co_return std::move(*found);
    }
    throw Error{ErrorKind::refused, "no other database of the target's server lets this role in"}.hint(
        "the swap renames the target from another database: GRANT CONNECT ON DATABASE postgres TO this role, "
        "or name one "
        "with --maintenance-db");
}

} // namespace pgsluice::run
