#include <algorithm>

#include "plan/measure.hpp"
#include "plan/plan.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::plan;
using graph::Part;
using model::Kind;

namespace {

// A database and the entries for it, by hand.
struct Made {
    model::Database database;
    graph::Graph graph;

    model::CatalogId object(Kind kind, const std::string& name, model::CatalogId relation = {}) {
        model::Object made;
        made.kind = kind;
        made.schema = "s";
        made.name = name;
        made.id = {1, static_cast<model::Oid>(database.objects.size() + 1)};
        made.relation = relation;
        if (relation.oid != 0) made.table = "of " + name;
        database.objects.push_back(made);
        return made.id;
    }
    model::CatalogId table(const std::string& name, std::uint64_t bytes) {
        const model::CatalogId id = object(Kind::table, name);
        model::TableRows rows;
        rows.table = id;
        rows.bytes = bytes;
        database.rows.push_back(rows);
        return id;
    }
    graph::EntryId entry(Kind kind, model::CatalogId object, Part part, std::vector<graph::EntryId> needs,
                         const std::string& sql = "sql") {
        graph::Entry made;
        made.part = part;
        made.kind = kind;
        made.object = object;
        made.name = std::string(model::kind_name(kind)) + " " + std::to_string(object.oid);
        made.sql = sql;
        made.needs = std::move(needs);
        graph.entries.push_back(made);
        return static_cast<graph::EntryId>(graph.entries.size() - 1);
    }
    std::vector<Task> tasks() {
        database.index();
        return make_tasks(graph, database);
    }
};

const Task& task_of(const std::vector<Task>& tasks, graph::EntryId entry) {
    return *std::find_if(tasks.begin(), tasks.end(), [&](const Task& task) {
        return std::find(task.entries.begin(), task.entries.end(), entry) != task.entries.end();
    });
}

bool needs(const Task& who, const Task& task) {
    return std::find(who.needs.begin(), who.needs.end(), task.id) != who.needs.end();
}

bool holds(const Task& task, model::CatalogId table, LockMode mode) {
    return std::any_of(task.locks.begin(), task.locks.end(),
                       [&](const TableLock& lock) { return lock.table == table && lock.mode == mode; });
}

} // namespace

TEST_CASE("definitions that no row precedes go in chained batches; what calls functions waits for the last") {
    Made made;
    std::vector<graph::EntryId> creates;
    for (int i = 0; i < 100; ++i) {
        const model::CatalogId table = made.table("t" + std::to_string(i), 1000);
        creates.push_back(made.entry(Kind::table, table, Part::create, {}));
    }
    const model::CatalogId first = made.database.objects[0].id, second = made.database.objects[1].id;
    const graph::EntryId plain = made.entry(Kind::table, first, Part::rows, {creates[0]}, "");
    const graph::EntryId calling = made.entry(Kind::table, second, Part::rows, {creates[1]}, "");
    made.graph.entries[calling].runs_functions = true;
    const std::vector<Task> tasks = made.tasks();
    const Task& batch = task_of(tasks, creates[0]);
    const Task& last = task_of(tasks, creates[99]);
    CHECK(batch.statements.size() == 64);
    CHECK(last.statements.size() == 36);
    CHECK(needs(last, batch));
    CHECK_FALSE(needs(task_of(tasks, plain), last));
    CHECK(needs(task_of(tasks, calling), last));
    CHECK(task_of(tasks, plain).kind == TaskKind::copy);
    CHECK(task_of(tasks, plain).label == "copy s.t0");
    CHECK(task_of(tasks, plain).bytes == 1000);
}

TEST_CASE("the small DDL of a table is one task, builds and checks are tasks of their own") {
    Made made;
    const model::CatalogId table = made.table("t", 1 << 20), other = made.table("o", 1 << 10);
    const model::CatalogId trigger = made.object(Kind::trigger, "tg", table);
    const model::CatalogId policy = made.object(Kind::policy, "p", table);
    const model::CatalogId index = made.object(Kind::index, "i", table);
    const model::CatalogId fk = made.object(Kind::foreign_key, "fk", table);
    const model::CatalogId key = made.object(Kind::constraint, "pk", table);
    made.database.dependencies = {{fk, table, 'a'}, {fk, other, 'n'}};
    const auto create = made.entry(Kind::table, table, Part::create, {});
    const auto create_other = made.entry(Kind::table, other, Part::create, {});
    const auto rows = made.entry(Kind::table, table, Part::rows, {create}, "");
    const auto rows_other = made.entry(Kind::table, other, Part::rows, {create_other}, "");
    const auto build =
        made.entry(Kind::index, index, Part::create, {rows}, "CREATE INDEX i ON t USING gin (a)");
    const auto build_key = made.entry(Kind::constraint, key, Part::build_index, {rows});
    const auto adopt = made.entry(Kind::constraint, key, Part::create, {build_key});
    const auto fires = made.entry(Kind::trigger, trigger, Part::create, {rows});
    const auto allows = made.entry(Kind::policy, policy, Part::create, {rows});
    const auto rights = made.entry(Kind::table, table, Part::rights, {rows, fires});
    const auto add_fk = made.entry(Kind::foreign_key, fk, Part::create, {rows, rows_other});
    const auto validate = made.entry(Kind::foreign_key, fk, Part::validate, {add_fk});
    const std::vector<Task> tasks = made.tasks();
    CHECK(&task_of(tasks, fires) == &task_of(tasks, rights));
    CHECK(&task_of(tasks, allows) == &task_of(tasks, rights));
    CHECK(task_of(tasks, build).kind == TaskKind::index);
    CHECK(task_of(tasks, build_key).kind == TaskKind::index);
    CHECK(task_of(tasks, adopt).kind == TaskKind::ddl);
    CHECK(task_of(tasks, validate).kind == TaskKind::validate);
    CHECK(task_of(tasks, build).cost > task_of(tasks, build_key).cost);

    CHECK(holds(task_of(tasks, rows), table, LockMode::row_exclusive));
    CHECK(holds(task_of(tasks, build), table, LockMode::share));
    CHECK(holds(task_of(tasks, adopt), table, LockMode::access_exclusive));
    CHECK(holds(task_of(tasks, rights), table, LockMode::access_exclusive));
    CHECK(holds(task_of(tasks, add_fk), table, LockMode::share_row_exclusive));
    CHECK(holds(task_of(tasks, add_fk), other, LockMode::share_row_exclusive));
    CHECK(holds(task_of(tasks, validate), table, LockMode::share_update_exclusive));
    CHECK(holds(task_of(tasks, validate), other, LockMode::row_share));
    for (const Task& task : tasks) CHECK_FALSE(task.label.empty());
}

TEST_CASE("closing tasks that would wait for each other are taken apart") {
    Made made;
    const model::CatalogId one = made.table("one", 1), two = made.table("two", 1);
    const model::CatalogId of_one = made.object(Kind::trigger, "tg1", one),
                           of_two = made.object(Kind::trigger, "tg2", two);
    const auto create = made.entry(Kind::table, one, Part::create, {});
    const auto rows = made.entry(Kind::table, one, Part::rows, {create}, "");
    const auto first = made.entry(Kind::trigger, of_one, Part::create, {rows});
    const auto second = made.entry(Kind::table, two, Part::rights, {first});
    const auto third = made.entry(Kind::trigger, of_two, Part::create, {rows});
    made.entry(Kind::table, one, Part::rights, {third});
    const std::vector<Task> tasks = made.tasks();
    CHECK_NOTHROW(Plan(tasks, {}));
    CHECK(task_of(tasks, second).entries.size() == 1);
}

TEST_CASE("locks reach partitions, the default partition's siblings and what a materialized view reads") {
    Made made;
    const model::CatalogId parent = made.object(Kind::table, "parent");
    const model::CatalogId leaf = made.table("leaf", 5);
    const model::CatalogId view = made.object(Kind::view, "v"),
                           mview = made.object(Kind::materialized_view, "m");
    const model::CatalogId trigger = made.object(Kind::trigger, "tg", parent);
    const model::CatalogId index = made.object(Kind::index, "i", parent);
    made.database.rows[0].partition_root_load = true;
    made.database.dependencies = {
        {leaf, parent, 'a'}, {view, leaf, 'n'}, {mview, view, 'n'}, {trigger, parent, 'a'}};
    const auto create = made.entry(Kind::table, leaf, Part::create, {});
    const auto attach = made.entry(Kind::table, leaf, Part::attach, {create});
    const auto rows = made.entry(Kind::table, leaf, Part::rows, {attach}, "");
    const auto fires = made.entry(Kind::trigger, trigger, Part::create, {rows});
    const auto shell = made.entry(Kind::index, index, Part::create, {rows});
    const auto refresh = made.entry(Kind::materialized_view, mview, Part::refresh, {rows});
    const std::vector<Task> tasks = made.tasks();
    CHECK(holds(task_of(tasks, attach), leaf, LockMode::access_exclusive));
    CHECK(holds(task_of(tasks, attach), parent, LockMode::share_update_exclusive));
    CHECK(holds(task_of(tasks, rows), parent, LockMode::row_exclusive));
    CHECK(holds(task_of(tasks, fires), leaf, LockMode::share_row_exclusive));
    CHECK(task_of(tasks, shell).kind == TaskKind::ddl);
    CHECK(holds(task_of(tasks, refresh), mview, LockMode::access_exclusive));
    CHECK(holds(task_of(tasks, refresh), leaf, LockMode::access_share));
    CHECK(task_of(tasks, refresh).bytes == 5);
}

TEST_CASE("the columns of an index are counted where its list is") {
    CHECK(key_columns("CREATE INDEX i ON \"s\".\"t, (u\" USING btree (a, lower((b)::text), c)") == 3);
    CHECK(key_columns("CREATE INDEX i ON t USING btree (coalesce(a, ',', b)) WHERE (c IN (1, 2))") == 1);
    CHECK(key_columns("no list") == 1);
}

TEST_CASE("each extra goes alone, and definitions of extras one at a time") {
    Made made;
    const model::CatalogId shared = made.table("shared", 10);
    const model::CatalogId own = made.table("own", 10);
    made.database.rows[1].from_target = true;
    const graph::EntryId first = made.entry(Kind::table, shared, Part::create, {});
    const graph::EntryId table = made.entry(Kind::table, own, Part::create, {first});
    const model::CatalogId view_id = made.object(Kind::view, "v");
    const graph::EntryId view = made.entry(Kind::view, view_id, Part::create, {first});
    const graph::EntryId rows = made.entry(Kind::table, own, Part::rows, {table}, "");
    const graph::EntryId refresh = made.entry(Kind::view, view_id, Part::refresh, {view});
    made.graph.entries[refresh].runs_functions = true;
    for (const graph::EntryId id : {table, view, rows, refresh}) made.graph.entries[id].extra = true;
    const std::vector<Task> tasks = made.tasks();
    CHECK_FALSE(task_of(tasks, first).extra);
    for (const graph::EntryId id : {table, view, rows, refresh}) {
        CHECK(task_of(tasks, id).extra);
        CHECK(task_of(tasks, id).entries.size() == 1);
    }
    CHECK(task_of(tasks, rows).from_target);
    Plan plan(tasks, {.lanes = 4, .index_builds = 1});
    const TaskId before = plan.start_next()->id;
    CHECK(before == task_of(tasks, first).id);
    plan.finish(before, Outcome::succeeded);
    const Task* definition = plan.start_next();
    REQUIRE(definition != nullptr);
    CHECK(plan.start_next() == nullptr); // the other one waits
    plan.finish(definition->id, Outcome::failed);
}
