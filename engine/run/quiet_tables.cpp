#include "run/quiet_tables.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

using merge::TableName;
using pq::quote_identifier;
using pq::quote_literal;

// A condition on c (pg_class) and n (pg_namespace).
std::string among(const std::vector<TableName>& tables) {
    std::string list;
    for (const TableName& table : tables)
        list += (list.empty() ? "(" : ", (") + quote_literal(table.schema) + ", " +
                quote_literal(table.name) + ")";
    if (list.empty()) return "false";
    return "(n.nspname::pg_catalog.text, c.relname::pg_catalog.text) in (" + list + ")";
}

std::string quoted(const TableName& table) { return pq::quote_qualified(table.schema, table.name); }

TableName table_at(const pq::Rows& rows, std::size_t row) {
    return TableName{std::string(rows.at(row, "schema")), std::string(rows.at(row, "table"))};
}

constexpr std::string_view from_tables =
    " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace ";

// tgenabled, ev_enabled: O fires normally, R on replicas, A always, D is disabled.
std::string enable(std::string_view state, const std::string& what) {
    if (state == "R") return "enable replica " + what;
    if (state == "A") return "enable always " + what;
    return "enable " + what;
}

// Foreign keys from or to the tables, each with the topmost one that it is a part of.
std::string foreign_keys_sql(const std::string& names, bool enforceable) {
    return fmt::format(R"(
with recursive tables(oid) as (
    select c.oid {0} where {1}),
up(leaf, oid, parent) as (
    select k.oid, k.oid, k.conparentid
    from pg_catalog.pg_constraint k
    where k.contype = 'f'
        and (k.conrelid in (select oid from tables) or k.confrelid in (select oid from tables))
    union all
    select up.leaf, k.oid, k.conparentid from up join pg_catalog.pg_constraint k on k.oid = up.parent)
select up.leaf, k.oid as root, n.nspname as schema, c.relname as table, k.conname as name,
    k.condeferrable, k.condeferred, k.convalidated, c.relkind = 'p' as partitioned,
    k.confdeltype <> 'a' or k.confupdtype <> 'a' as acts, l.confrelid in (select oid from tables) as leads_here,
    ln.nspname as leaf_schema, lc.relname as leaf_table, l.conname as leaf_name
from up
join pg_catalog.pg_constraint k on k.oid = up.oid and up.parent = 0
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_constraint l on l.oid = up.leaf
join pg_catalog.pg_class lc on lc.oid = l.conrelid
join pg_catalog.pg_namespace ln on ln.oid = lc.relnamespace
{2}
order by schema, "table", name, up.leaf)",
                       from_tables, names, enforceable ? "where k.conenforced" : "");
}

std::string foreign_keys_of(pq::Connection& session, const std::vector<TableName>& tables) {
    return foreign_keys_sql(among(tables), session.server_version() >= 180000);
}

ForeignKeyName root_at(const pq::Rows& rows, std::size_t row) {
    return ForeignKeyName{table_at(rows, row), std::string(rows.at(row, "name"))};
}

// Rows that go through a partitioned table meet its partitions' triggers and rules.
Task<std::vector<TableName>> with_partitions(pq::Connection& session, std::vector<TableName> tables) {
    const std::string sql =
        "with recursive tree(oid) as (select c.oid" + std::string(from_tables) + "where " + among(tables) +
        " union select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid join "
        "pg_catalog.pg_class p on p.oid = i.inhrelid and p.relispartition) "
        "select n.nspname as schema, c.relname as table" +
        std::string(from_tables) + "join tree on tree.oid = c.oid order by c.oid";
    const pq::Rows rows = co_await session.rows(sql);
    std::vector<TableName> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(table_at(rows, i));
    co_return all;
}

} // namespace

Task<QuietTables> QuietTables::begin(pq::Connection& session, std::vector<TableName> tables,
                                     std::set<ForeignKeyName> aside) {
    QuietTables quiet(session);
    const std::string begin = "begin isolation level read committed, read write";
    co_await session.command(begin);
    tables = co_await with_partitions(session, tables);
    const std::string names = among(tables);
    co_await quiet.read_row_security(names);
    co_await quiet.read_identities(names);
    co_await quiet.read_triggers_and_rules(names);
    const std::string foreign_keys = foreign_keys_of(session, tables);
    co_await quiet.read_foreign_keys(foreign_keys, aside);
    for (const std::string& statement : quiet.off_) co_await session.command(statement);
    co_await quiet.refuse_awake_triggers(names);
    co_return quiet;
}

Task<QuietTables> QuietTables::begin_reading(pq::Connection& session, std::vector<TableName> tables) {
    QuietTables quiet(session);
    const std::string begin = "begin isolation level read committed, read write";
    co_await session.command(begin);
    co_await quiet.lift_row_security(std::move(tables));
    co_return quiet;
}

Task<void> QuietTables::lift_row_security(std::vector<TableName> tables) {
    tables = co_await with_partitions(*session_, std::move(tables));
    const std::string names = among(tables);
    const std::size_t done = off_.size();
    co_await read_row_security(names +
                               " and c.relforcerowsecurity and pg_catalog.pg_has_role(c.relowner, 'USAGE')");
    for (std::size_t i = done; i < off_.size(); ++i) {
        const std::string statement = off_[i];
        co_await session_->command(statement);
    }
}

Task<void> QuietTables::read_row_security(std::string names) {
    const std::string sql = "select n.nspname as schema, c.relname as table, c.relrowsecurity, "
                            "c.relforcerowsecurity" +
                            std::string(from_tables) + "where " + names +
                            " and (c.relrowsecurity or c.relforcerowsecurity) order by schema, \"table\"";
    const pq::Rows secured = co_await session_->rows(sql);
    for (std::size_t i = 0; i < secured.size(); ++i) {
        const std::string alter = "alter table only " + quoted(table_at(secured, i)) + " ";
        if (secured.at(i, "relrowsecurity") == "t") {
            off_.push_back(alter + "disable row level security");
            on_.push_back(alter + "enable row level security");
        }
        if (secured.at(i, "relforcerowsecurity") == "t") {
            off_.push_back(alter + "no force row level security");
            on_.push_back(alter + "force row level security");
        }
    }
}

Task<void> QuietTables::read_identities(std::string names) {
    // A partition's identity (17+) is its root's; OVERRIDING SYSTEM VALUE does for inserts everywhere.
    const std::string identity_sql =
        "select n.nspname as schema, c.relname as table, a.attname as column" + std::string(from_tables) +
        "join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attidentity = 'a' and not "
        "a.attisdropped where " +
        names + " and not c.relispartition order by schema, \"table\", a.attnum";
    const pq::Rows identities = co_await session_->rows(identity_sql);
    for (std::size_t i = 0; i < identities.size(); ++i) {
        const std::string alter = "alter table " + quoted(table_at(identities, i)) + " alter column " +
                                  quote_identifier(identities.at(i, "column")) + " set generated ";
        off_.push_back(alter + "by default");
        on_.push_back(alter + "always");
    }
}

Task<void> QuietTables::read_triggers_and_rules(std::string names) {
    const std::string sql =
        "select n.nspname as schema, c.relname as table, t.tgname as name, t.tgenabled as state, 'trigger' "
        "as what" +
        std::string(from_tables) +
        "join pg_catalog.pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D' "
        "where " +
        names + " union all select n.nspname, c.relname, r.rulename, r.ev_enabled, 'rule'" +
        std::string(from_tables) +
        "join pg_catalog.pg_rewrite r on r.ev_class = c.oid and r.ev_enabled <> 'D' and r.ev_type <> '1' "
        "where " +
        names + " order by schema, \"table\", what, name";
    const pq::Rows rows = co_await session_->rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string alter = "alter table only " + quoted(table_at(rows, i)) + " ";
        const std::string what = std::string(rows.at(i, "what")) + " " + quote_identifier(rows.at(i, "name"));
        off_.push_back(alter + "disable " + what);
        on_.push_back(alter + enable(rows.at(i, "state"), what));
    }
}

Task<void> QuietTables::read_foreign_keys(std::string foreign_keys, const std::set<ForeignKeyName>& aside) {
    const pq::Rows rows = co_await session_->rows(foreign_keys);
    std::set<ForeignKeyName> done;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const ForeignKeyName key = root_at(rows, i);
        if (!done.insert(key).second) continue;
        const std::string table = "alter table " + quoted(key.table) + " ";
        const std::string name = quote_identifier(key.name);
        if (!aside.contains(key)) {
            const bool deferrable = rows.at(i, "condeferrable") == "t";
            if (deferrable && rows.at(i, "condeferred") == "t") continue;
            off_.push_back(table + "alter constraint " + name + " deferrable initially deferred");
            on_.push_back(table + "alter constraint " + name +
                          (deferrable ? " deferrable initially immediate" : " not deferrable"));
            continue;
        }
        const std::string root(rows.at(i, "root"));
        const std::string sql = "select pg_catalog.pg_get_constraintdef(" + root +
                                ") as definition, pg_catalog.obj_description(" + root +
                                ", 'pg_constraint') as comment";
        const pq::Rows facts = co_await session_->rows(sql);
        // A partitioned table takes no NOT VALID key up to 17: it is checked at once.
        const bool valid = rows.at(i, "convalidated") == "t" && rows.at(i, "partitioned") == "f";
        off_.push_back(table + "drop constraint " + name);
        on_.push_back(table + "add constraint " + name + " " + std::string(facts.at(0, "definition")) +
                      (valid ? " not valid" : ""));
        if (const auto comment = facts.get(0, "comment"))
            on_.push_back("comment on constraint " + name + " on " + quoted(key.table) + " is " +
                          quote_literal(*comment));
        if (valid) to_validate_.insert(key);
    }
}

// Up to 14 the triggers that a partition has from its parent count as the server's own.
Task<void> QuietTables::refuse_awake_triggers(std::string names) {
    const std::string sql = "select n.nspname as schema, c.relname as table, t.tgname as name" +
                            std::string(from_tables) +
                            "join pg_catalog.pg_trigger t on t.tgrelid = c.oid and t.tgenabled <> 'D' "
                            "left join pg_catalog.pg_constraint k on k.oid = t.tgconstraint and k.contype in "
                            "('f', 'p', 'u', 'x') "
                            "where k.oid is null and " +
                            names + " order by schema, \"table\", name limit 1";
    const pq::Rows rows = co_await session_->rows(sql);
    if (rows.empty()) co_return;
    const TableName table = table_at(rows, 0);
    throw Error{ErrorKind::target, "a trigger cannot be switched off while rows are merged"}
        .object("trigger " +
                one_line(std::string(rows.at(0, "name")) + " on " + table.schema + "." + table.name))
        .hint("it comes from the partitioned table, and this server lets only a superuser switch it off");
}

Task<void> QuietTables::commit() {
    const std::string check = "set constraints all immediate";
    co_await session_->command(check, limits::statement_wait_max);
    for (const std::string& statement : on_) co_await session_->command(statement);
    const std::string commit = "commit";
    co_await session_->command(commit);
}

Task<void> QuietTables::rollback() {
    const std::string rollback = "rollback";
    co_await session_->command(rollback);
}

Task<std::set<ForeignKeyName>> QuietTables::acting_on(pq::Connection& session,
                                                      std::vector<TableName> tables) {
    const std::string sql = foreign_keys_of(session, tables);
    const pq::Rows rows = co_await session.rows(sql);
    std::set<ForeignKeyName> found;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows.at(i, "acts") == "t" && rows.at(i, "leads_here") == "t") found.insert(root_at(rows, i));
    co_return found;
}

Task<std::set<ForeignKeyName>> QuietTables::broken(pq::Connection& session, const Error& error,
                                                   std::vector<TableName> tables) {
    std::set<ForeignKeyName> found;
    if (error.sqlstate() != "23503" && error.sqlstate() != "23001") co_return found;
    const std::string sql = foreign_keys_of(session, tables);
    const pq::Rows rows = co_await session.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // As pq names what a server's error is about.
        const std::string object = "table " + one_line(rows.at(i, "leaf_schema")) + "." +
                                   one_line(rows.at(i, "leaf_table")) + ", constraint " +
                                   one_line(rows.at(i, "leaf_name"));
        if (object == error.object() && rows.at(i, "partitioned") == "f") found.insert(root_at(rows, i));
    }
    co_return found;
}

} // namespace pgsluice::run
