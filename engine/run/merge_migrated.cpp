#include "run/merge_migrated.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "kinds/descriptor.hpp"
#include "pq/quote.hpp"
#include "run/build.hpp"
#include "run/carry_history.hpp"
#include "run/journal.hpp"
#include "run/lanes.hpp"
#include "run/migrations.hpp"

namespace pgsluice::run {

namespace {

Error changed(const Context& context, const char* what) {
    Error error{ErrorKind::refused, std::string(what) + " since the new database was begun"};
    return error.object("database " + one_line(context.target_database()))
        .hint("the target is as it was: build anew with pgsluice refresh (after --no-swap: --no-swap "
              "--discard-waiting)");
}

// Grants as they read once the owner is another one.
std::vector<model::Grant> owned_by(std::vector<model::Grant> grants, const std::string& before,
                                   const std::string& after) {
    for (model::Grant& grant : grants) {
        if (grant.grantee == before) grant.grantee = after;
        if (grant.grantor == before) grant.grantor = after;
    }
    return grants;
}

Task<model::Database> read_inside(pq::Connection& inside) {
    catalog::ReadOptions options;
    options.sequence_values = false;
    const std::string begin = "begin isolation level repeatable read, read only", commit = "commit";
    co_await inside.command(begin);
    model::Database found = co_await catalog::read(inside, options);
    co_await inside.command(commit);
    co_return found;
}

// What the migration made has its maker's owner and grants, and default privileges, which are there already,
// have given some to what was merged: statements that give all of it the planned ones.
std::vector<std::string> rights_statements(const model::Object& planned, const model::Object& found) {
    std::vector<std::string> statements;
    if (planned.owner != found.owner) {
        std::string owner = kinds::owner_ddl(planned, planned.owner);
        if (!owner.empty()) statements.push_back(std::move(owner));
    }
    const auto add = [&](model::Acl from, const model::Acl& to, const std::string& column) {
        from.current = owned_by(std::move(from.current), found.owner, planned.owner);
        if (from.current == to.current) return;
        for (std::string& statement : kinds::acl_ddl(planned, from, to, column))
            statements.push_back(std::move(statement));
    };
    add(found.acl, planned.acl, "");
    for (const auto& [column, acl] : planned.column_acls) {
        const auto there = found.column_acls.find(column);
        model::Acl none;
        add(there == found.column_acls.end() ? none : there->second, acl, column);
    }
    return statements;
}

// The target's comments of shared objects of which the source says nothing.
std::string comment_statements(const model::Object& planned, const model::Object& found) {
    if (!kinds::descriptor(planned.kind).has_comment) return {};
    model::Object lacking = planned;
    lacking.details.erase("index_comment");
    if (planned.comment == found.comment) lacking.comment.reset();
    std::erase_if(lacking.column_comments, [&](const auto& of) {
        const auto there = found.column_comments.find(of.first);
        return there != found.column_comments.end() && there->second == of.second;
    });
    if (!lacking.comment && lacking.column_comments.empty()) return {};
    return kinds::comment_ddl(lacking);
}

Task<void> give_rights_and_comments(Context& context, pq::Connection& inside, const Catalogs& catalogs) {
    const model::Database now = co_await read_inside(inside);
    for (const model::Object& planned : catalogs.planned.database.objects) {
        const model::Object* found = now.find(model::natural_key(planned));
        if (found == nullptr || planned.schema == "pgsluice" || planned.kind == model::Kind::default_acl)
            continue;
        std::vector<std::string> statements = rights_statements(planned, *found);
        if (std::string comments = comment_statements(planned, *found); !comments.empty())
            statements.push_back(std::move(comments));
        for (const std::string& statement : statements) {
            try {
                co_await inside.command(statement);
            } catch (const Error& error) {
                if (inside.broken()) throw;
                context.remark(model::display_name(planned),
                               "owner, grants or comment could not be given: " + one_line(error.message()),
                               "run the SQL as an administrator", statement);
            }
        }
    }
}

// A table that both have only since the migration made it: a shared one, of which nothing comes along unless
// --preserve names it. One with rows may be renamed, or filled from another table.
Task<void> tell_made_anew(Context& context, const MergeTarget& own, pq::Connection& inside,
                          const Catalogs& catalogs, const Identities& built) {
    for (const model::TableRows& table : catalogs.target.rows) {
        const model::NaturalKey key{model::Kind::table, table.schema, "", table.name, ""};
        if (table.rows == 0 || table.bytes == 0 || built.objects.contains(key)) continue;
        if (catalogs.source.find(key) == nullptr || own.preserves({table.schema, table.name})) continue;
        const std::string sql =
            "select exists (select from " + pq::quote_qualified(table.schema, table.name) + ")";
        const std::string filled = co_await inside.value(sql);
        context.remark("table " + one_line(table.schema + "." + table.name),
                       filled == "t"
                           ? "the migration has made it, rows and all: the target's do not come along"
                           : "the migration has made it anew: the target's rows do not come along",
                       "--preserve carries them; they stay in the previous database until the next run");
        report::LosingTable losing;
        losing.table = table.schema + "." + table.name;
        losing.rows_estimated = table.rows > 0 ? static_cast<std::uint64_t>(table.rows) : 0;
        context.report.merge.only_in_previous.push_back(std::move(losing));
    }
}

// What the migration made of the source's schema, by display names: no difference that verify is to fail for.
std::vector<std::string> changed_by_migration(const Identities& built, const model::Database& now,
                                              int server_version) {
    const Identities migrated = identities_of(now, server_version);
    std::vector<std::string> names;
    for (const model::NaturalKey& key : built.objects)
        if (!migrated.objects.contains(key)) names.push_back(display_key(key));
    for (const auto& [key, mark] : migrated.definitions) {
        const auto before = built.definitions.find(key);
        if (key.schema != "pgsluice" && (before == built.definitions.end() || before->second != mark))
            names.push_back(display_key(key));
    }
    return names;
}

} // namespace

Task<Catalogs> read_migrated(Context& context, MergeTarget& own, RunSessions& sessions, MigratedInput input) {
    Catalogs catalogs;
    catalogs.stage = Catalogs::Stage::own_part;
    context.step("reading the new database's catalog");
    catalogs.source = co_await read_inside(*sessions.inside);
    context.step("reading the target's catalog");
    catalog::ReadOptions options;
    options.is_target = true;
    options.snapshot = own.snapshot();
    catalogs.target = co_await catalog::read(*sessions.target, options);
    if (fingerprint_of(catalogs.target).text() != input.fingerprint)
        throw changed(context, "the target's schema has changed");
    catalogs.settable_roles = co_await read_settable_roles(*sessions.target);
    catalogs.recorded = co_await read_identities(*sessions.target);
    std::vector<merge::History> ours = co_await read_histories(context, *sessions.inside);
    std::vector<merge::History> theirs = co_await read_histories(context, *sessions.target);
    if (history_mark(theirs) != input.histories)
        throw changed(context, "the target's migration history has changed");
    catalogs.drift = decide_drift(context, std::move(ours), std::move(theirs), false);
    if (input.migrated) catalogs.drift.decision.action = merge::DriftAction::none;
    refuse_drift(catalogs.drift);
    compare_catalogs(context, catalogs);
    refuse_carry(catalogs);
    if (input.migrated)
        tell_migrated(context, catalogs.drift);
    else
        tell_drift(context, catalogs.drift, staying_tables(catalogs));
    tell_planned(context, catalogs);
    co_await own.plan(catalogs);
    co_await tell_made_anew(context, own, *sessions.inside, catalogs, input.built);
    if (input.migrated)
        context.report.merge.changed_by_migration =
            changed_by_migration(input.built, catalogs.source, sessions.inside->server_version());
    co_return catalogs;
}

Task<Loaded> merge_migrated(Context& context, MergeTarget& own, RunSessions& sessions,
                            const Catalogs& catalogs) {
    const auto& tables = catalogs.planned.database.rows;
    const bool rows_of_target =
        std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.from_target; });
    const int lanes = co_await choose_lanes(context, nullptr, *sessions.target, rows_of_target);
    const std::string database = sessions.inside->conninfo().database();
    LoadMerge load_merge = co_await own.prepare(catalogs, database);
    load_merge.only_extras = true;
    context.step("merging what is the target's own");
    Loaded loaded = co_await load(context, nullptr, catalogs, *sessions.inside, lanes, load_merge);
    if (catalogs.drift.decision.action == merge::DriftAction::carry)
        (void)co_await carry_histories(context, *sessions.target, *sessions.inside,
                                       catalogs.drift.differences);
    co_await give_rights_and_comments(context, *sessions.inside, catalogs);
    co_await verify_catalog(context, catalogs.planned.database, loaded.pending, *sessions.inside);
    co_return loaded;
}

} // namespace pgsluice::run
