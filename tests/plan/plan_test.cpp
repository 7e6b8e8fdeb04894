// The scheduler stepped by hand: what starts when, under which limits, and what a failure leaves.
#include "base/error.hpp"
#include "plan/plan.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::plan;

namespace {

struct Script {
    std::vector<Task> tasks;
    TaskId add(TaskKind kind, const std::string& label, double cost, std::vector<TaskId> needs = {},
               std::vector<TableLock> locks = {}) {
        Task task;
        task.id = static_cast<TaskId>(tasks.size());
        task.kind = kind;
        task.label = label;
        task.cost = cost;
        task.needs = std::move(needs);
        task.locks = std::move(locks);
        task.statements = {label};
        tasks.push_back(std::move(task));
        return tasks.back().id;
    }
};

std::string started(Plan& plan) {
    const Task* task = plan.start_next();
    return task == nullptr ? "" : task->label;
}

constexpr model::CatalogId table_a = {1259, 1}, table_b = {1259, 2};

} // namespace

TEST_CASE("lock modes conflict as the manual's table says") {
    using enum LockMode;
    CHECK_FALSE(lock_conflicts(share, share));                             // two index builds
    CHECK(lock_conflicts(share, row_exclusive));                           // index build and COPY
    CHECK(lock_conflicts(share_update_exclusive, share_update_exclusive)); // two VALIDATEs of one table
    CHECK_FALSE(lock_conflicts(share_update_exclusive, row_exclusive));
    CHECK_FALSE(lock_conflicts(share_update_exclusive, row_share)); // VALIDATE and a referenced table
    CHECK(lock_conflicts(share_row_exclusive, share));              // ADD FOREIGN KEY and an index build
    CHECK(lock_conflicts(share_row_exclusive, share_row_exclusive));
    CHECK(lock_conflicts(access_exclusive, access_share));
    CHECK_FALSE(lock_conflicts(exclusive, access_share));
    for (int a = 0; a < 8; ++a)
        for (int b = 0; b < 8; ++b)
            CHECK(lock_conflicts(static_cast<LockMode>(a), static_cast<LockMode>(b)) ==
                  lock_conflicts(static_cast<LockMode>(b), static_cast<LockMode>(a)));
}

TEST_CASE("the longest remaining path goes first, then the smaller id") {
    Script script;
    script.add(TaskKind::copy, "short", 10);
    const TaskId big = script.add(TaskKind::copy, "leads to long", 1);
    script.add(TaskKind::index, "long", 100, {big});
    script.add(TaskKind::copy, "also short", 10);
    Plan plan(script.tasks, {.lanes = 4, .index_builds = 1});
    CHECK(plan.path_cost(big) == 101);
    CHECK(started(plan) == "leads to long");
    CHECK(started(plan) == "short");
    CHECK(started(plan) == "also short");
    CHECK(started(plan).empty());
    CHECK(plan.explain(2) == "waits for leads to long (running)");
    plan.finish(big, Outcome::succeeded);
    CHECK(started(plan) == "long");
}

TEST_CASE("lanes and index builds are bounded; other work passes a full index pool") {
    Script script;
    script.add(TaskKind::index, "index 1", 100);
    script.add(TaskKind::index, "index 2", 90);
    script.add(TaskKind::copy, "copy", 1);
    script.add(TaskKind::copy, "last", 1);
    Plan plan(script.tasks, {.lanes = 2, .index_builds = 1});
    CHECK(started(plan) == "index 1");
    CHECK(plan.explain(1) == "waits for a place among the index builds");
    CHECK(started(plan) == "copy");
    CHECK(started(plan).empty());
    CHECK(plan.explain(3) == "waits for a lane");
    plan.finish(0, Outcome::succeeded);
    CHECK(started(plan) == "index 2");
}

TEST_CASE("conflicting locks keep tasks apart, others of the same table run together") {
    Script script;
    script.add(TaskKind::index, "index 1", 9, {}, {{table_a, LockMode::share}});
    script.add(TaskKind::ddl, "key", 8, {},
               {{table_b, LockMode::share_row_exclusive}, {table_a, LockMode::share_row_exclusive}});
    script.add(TaskKind::index, "index 2", 7, {}, {{table_a, LockMode::share}});
    Plan plan(script.tasks, {.lanes = 3, .index_builds = 3});
    CHECK(started(plan) == "index 1");
    CHECK(started(plan) == "index 2");
    CHECK(started(plan).empty());
    CHECK(plan.explain(1) == "waits for index 1: lock conflict");
    plan.finish(0, Outcome::succeeded);
    CHECK(started(plan).empty());
    plan.finish(2, Outcome::succeeded);
    CHECK(started(plan) == "key");
}

TEST_CASE("a failure skips what needs it and nothing else; the source is let go all the same") {
    Script script;
    const TaskId a = script.add(TaskKind::copy, "copy a", 1);
    const TaskId b = script.add(TaskKind::copy, "copy b", 1);
    const TaskId index = script.add(TaskKind::index, "index b", 1, {b});
    script.add(TaskKind::ddl, "key b -> a", 1, {a, index});
    script.add(TaskKind::analyze, "analyze a", 1, {a});
    script.add(TaskKind::copy, "copy c", 1, {b});
    Plan plan(script.tasks, {.lanes = 1, .index_builds = 1});
    CHECK(plan.copies_left() == 3);
    while (const Task* task = plan.start_next())
        plan.finish(task->id, task->label == "copy b" ? Outcome::failed : Outcome::succeeded);
    CHECK(plan.done());
    CHECK(plan.with_state(State::failed).size() == 1);
    CHECK(plan.with_state(State::skipped).size() == 3);
    CHECK(plan.state(4) == State::succeeded);
    CHECK(plan.copies_left() == 0);
}

TEST_CASE("gates open by themselves") {
    Script script;
    const TaskId a = script.add(TaskKind::copy, "copy a", 1);
    const TaskId gate = script.add(TaskKind::ddl, "gate", 0, {a});
    const TaskId second = script.add(TaskKind::ddl, "gate 2", 0, {gate});
    script.tasks[gate].statements.clear();
    script.tasks[second].statements.clear();
    script.add(TaskKind::ddl, "after", 1, {second});
    Plan plan(script.tasks, {});
    CHECK(started(plan) == "copy a");
    plan.finish(a, Outcome::succeeded);
    CHECK(started(plan) == "after");
    plan.finish(3, Outcome::succeeded);
    CHECK(plan.done());
    CHECK(plan.with_state(State::succeeded).size() == 4);
}

TEST_CASE("a plan that cannot be performed is refused") {
    Script ring;
    ring.add(TaskKind::ddl, "a", 1, {1});
    ring.add(TaskKind::ddl, "b", 1, {0});
    CHECK_THROWS_AS(Plan(ring.tasks, {}), Error);
    Script unknown;
    unknown.add(TaskKind::ddl, "a", 1, {7});
    CHECK_THROWS_AS(Plan(unknown.tasks, {}), Error);
}

TEST_CASE("twenty thousand tasks are stepped in no time") {
    Script script;
    for (TaskId i = 0; i < 10'000; ++i) {
        const TaskId copy = script.add(TaskKind::copy, "copy", i % 97 + 1);
        script.add(TaskKind::index, "index", i % 31 + 1, {copy}, {{{1259, i}, LockMode::share}});
    }
    Plan plan(script.tasks, {.lanes = 4, .index_builds = 1});
    std::size_t steps = 0;
    while (const Task* task = plan.start_next()) {
        plan.finish(task->id, Outcome::succeeded);
        ++steps;
    }
    CHECK(steps == 20'000);
    CHECK(plan.done());
}

TEST_CASE("where an extra fails, other extras that need it are skipped, and what is the source's goes on") {
    Script script;
    const TaskId table = script.add(TaskKind::ddl, "extra table", 1);
    const TaskId rows = script.add(TaskKind::copy, "extra rows", 1, {table});
    const TaskId view = script.add(TaskKind::ddl, "extra view", 1, {rows});
    const TaskId merge = script.add(TaskKind::merge, "merge", 1, {rows});
    const TaskId source = script.add(TaskKind::copy, "source rows", 1);
    for (const TaskId id : {table, rows, view}) script.tasks[id].extra = true;
    script.tasks[rows].from_target = true;
    Plan plan(script.tasks, {.lanes = 1, .index_builds = 1});
    CHECK(plan.copies_left() == 1); // only the source's
    CHECK(started(plan) == "extra table");
    plan.finish(table, Outcome::failed);
    CHECK(plan.state(rows) == State::skipped);
    CHECK(plan.state(view) == State::skipped);
    CHECK(started(plan) == "merge");
    plan.finish(merge, Outcome::succeeded);
    CHECK(started(plan) == "source rows");
    plan.finish(source, Outcome::succeeded);
    CHECK(plan.copies_left() == 0);
    CHECK(plan.done());
}
