#include "support/catalog.hpp"

#include <exception>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "flow/loops.hpp"
#include "kinds/descriptor.hpp"
#include "pq/quote.hpp"
#include "support/session.hpp"

namespace pgsluice::tests {

namespace {

flow::Task<model::Database> read_on(pq::Conninfo conninfo, pq::SessionOptions options, std::string snapshot) {
    pq::Connection connection = co_await pq::Connection::open(conninfo, options);
    catalog::ReadOptions read_options;
    read_options.snapshot = snapshot;
    if (snapshot.empty())
        co_await connection.command("begin transaction isolation level repeatable read, read only");
    model::Database database = co_await catalog::read(connection, read_options);
    co_return database;
}

struct Statement {
    std::string name, sql;
};

void add(std::vector<Statement>& statements, const model::Object& object, const std::string& sql) {
    if (!sql.empty()) statements.push_back({model::display_name(object), sql});
}

void add_rights(std::vector<Statement>& statements, const model::Object& object,
                const std::string& connecting_role) {
    const kinds::Descriptor& kind = kinds::descriptor(object.kind);
    const bool is_stock_public = object.name == "public" && object.owner == "pg_database_owner";
    if (kind.has_owner && object.owner != connecting_role && !is_stock_public)
        add(statements, object, kinds::owner_ddl(object, object.owner));
    model::Acl made = object.acl;
    made.current = made.base;
    if (kind.has_acl)
        for (const std::string& sql : kinds::acl_ddl(object, made, object.acl)) add(statements, object, sql);
    for (const auto& [column, acl] : object.column_acls)
        for (const std::string& sql : kinds::acl_ddl(object, {}, acl, column)) add(statements, object, sql);
}

// Runs what works, in order, again and again; what works in no pass is the error.
void run_all(Session& session, std::vector<Statement> statements) {
    while (!statements.empty()) {
        std::vector<Statement> failed;
        std::string first;
        for (const Statement& statement : statements) {
            try {
                session.sql(statement.sql);
            } catch (const SqlError& error) {
                if (first.empty()) first = statement.name + ": " + error.what() + "\n" + statement.sql;
                failed.push_back(statement);
            }
        }
        if (failed.size() == statements.size()) throw std::runtime_error(first);
        statements = std::move(failed);
    }
}

} // namespace

model::Database read_catalog(const std::string& conninfo, bool by_snapshot) {
    flow::Loops loops(1, 1);
    pq::SessionOptions options;
    options.helpers = loops.helpers();
    Session exporter(conninfo);
    std::string snapshot;
    if (by_snapshot) {
        exporter.sql("begin transaction isolation level repeatable read");
        snapshot = exporter.value("select pg_catalog.pg_export_snapshot()");
    }
    return asio::co_spawn(loops.lane(0), read_on(pq::Conninfo::parse(conninfo), options, snapshot),
                          asio::use_future)
        .get();
}

void make_again(const model::Database& database, const std::string& conninfo,
                const std::string& connecting_role) {
    const kinds::Shape shape;
    const kinds::Context context{
        .database = database, .shape = shape, .target_version = database.server_version};
    std::vector<Statement> first, later, last;
    for (const model::Object& object : database.objects) {
        const kinds::Ddl ddl = kinds::descriptor(object.kind).write(object, context);
        if (object.kind == model::Kind::default_acl) {
            add(last, object, ddl.create);
            continue;
        }
        for (const std::string* sql :
             {&ddl.build_index, &ddl.create, &ddl.attach, &ddl.owned_by, &ddl.validate})
            add(first, object, *sql);
        add(first, object, kinds::comment_ddl(object));
        add(first, object, kinds::extension_ddl(object));
        add(later, object, ddl.after_rows);
        add(later, object, ddl.refresh);
        add_rights(last, object, connecting_role);
    }
    for (const model::SequenceValue& value : database.sequence_values) {
        const model::Object& sequence = *database.find(value.sequence);
        const std::string name = pq::quote_literal(pq::quote_qualified(sequence.schema, sequence.name));
        add(later, sequence,
            "select pg_catalog.setval(" + name + ", " + value.last_value +
                (value.is_called ? ", true)" : ", false)"));
    }
    Session session(conninfo);
    session.sql("set search_path = ''; set check_function_bodies = off");
    run_all(session, first);
    run_all(session, later);
    run_all(session, last);
}

} // namespace pgsluice::tests
