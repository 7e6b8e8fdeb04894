#include "plan_text.hpp"
#include "support/catch.hpp"

using namespace pgsluice::cli;
using namespace pgsluice::report;

namespace {

PlanReport example() {
    PlanReport plan;
    plan.source = "prod:5432/app as reader";
    plan.target = "preprod:5432/app as owner";
    plan.source_version = plan.target_version = "15.18";
    plan.method = "swap";
    plan.method_why = "the role may create databases";
    plan.create = {{"table", 52}, {"index", 130}, {"view", 0}};
    plan.tasks = 240;
    plan.lanes = 4;
    plan.index_jobs = 2;
    plan.lanes_why = "4 cores";
    plan.only_source = {"table public.new"};
    plan.only_target = {"table public.deltas", "view public.v\nroot:"};
    plan.drift.push_back({"function public.f()", "create a\nas b", ""});
    plan.columns.push_back({"table public.users", {"a text"}, {"b text", "c int"}});
    plan.enum_labels.push_back({"type public.state", {}, {"'odd'"}});
    plan.migrations.push_back({"public.flyway_schema_history",
                               "Flyway",
                               "diverged",
                               "replay",
                               {{"602", "add x"}},
                               {{"603", "add y"}},
                               {},
                               {}});
    plan.merge.applied_again = 1;
    plan.wires_left_out.push_back({"subscription s", "reaches out", "--with subscriptions"});
    plan.losing.push_back({"table public.deltas", 1200});
    plan.previous = "app_previous";
    plan.only_in_previous.push_back({"table public.older", 7});
    plan.rows_estimated = 1234567;
    plan.bytes_estimated = 3ull << 30;
    plan.disk_bytes_now = 3ull << 30;
    plan.disk_bytes_kept = 2ull << 30;
    plan.disk_bytes_freed = 1ull << 30;
    plan.notes = {"role x is missing on the target"};
    plan.refresh_arguments = {"--extras", "drop", "--strict"};
    return plan;
}

} // namespace

TEST_CASE("the plan is short, names what is lost, and ends with the command") {
    CHECK(plan_text(example(),
                    {"--source", "host=prod dbname=app", "--target", "service=preprod", "--strict"}, false) ==
          "What refresh would do. Nothing was changed and nothing is locked.\n"
          "\n"
          "  from    prod:5432/app as reader, PostgreSQL 15.18\n"
          "  to      preprod:5432/app as owner, PostgreSQL 15.18\n"
          "  method  swap: the role may create databases\n"
          "  rows    about 1,234,567, 3.0 GiB to copy\n"
          "  disk    3.0 GiB more needed on the target's server, 2.0 GiB kept afterwards; 1.0 GiB freed "
          "first by dropping "
          "app_previous\n"
          "  work    240 tasks in 4 lanes, 2 index builds at once (4 cores)\n"
          "\n"
          "Tables of the target whose rows do not come along; afterwards they are in the old database only "
          "(1)\n"
          "  table public.deltas, about 1,200 rows\n"
          "\n"
          "Before the build, the old database app_previous of the last run is dropped.\n"
          "\n"
          "Tables whose only copy goes with it (1)\n"
          "  table public.older, about 7 rows\n"
          "\n"
          "Only the target has (2)\n"
          "  table public.deltas\n"
          "  view public.v root:\n"
          "\n"
          "Only the source has (1)\n"
          "  table public.new\n"
          "\n"
          "Tables whose columns differ (1)\n"
          "  table public.users\n"
          "    only on the source: a text\n"
          "    only on the target: b text, c int\n"
          "\n"
          "Enums whose labels differ (1)\n"
          "  type public.state\n"
          "    only on the target: 'odd'\n"
          "\n"
          "Shared objects that differ; the source's definition is taken (1)\n"
          "  function public.f()\n"
          "  Their definitions:\n"
          "  function public.f()\n"
          "    source | create a\n"
          "    source | as b\n"
          "    target | (none)\n"
          "\n"
          "Migrations\n"
          "  1 migration will be applied again at the service's next restart\n"
          "  public.flyway_schema_history (Flyway): diverged; the source's history is taken, what only the "
          "target has is left to the service's migrations\n"
          "    only on the source (1)\n"
          "      602  add x\n"
          "    only on the target (1)\n"
          "      603  add y\n"
          "\n"
          "Left out, because it reaches into the source's world (1)\n"
          "  subscription s: reaches out\n"
          "    HINT: --with subscriptions\n"
          "\n"
          "The new database gets 182 objects\n"
          "  table: 52, index: 130\n"
          "\n"
          "Notes\n"
          "  role x is missing on the target\n"
          "\n"
          "The refresh:\n"
          "  pgsluice refresh --source 'host=prod dbname=app' --target service=preprod --strict --extras "
          "drop\n");
}

TEST_CASE("a conninfo of the environment is not printed") {
    const std::string text = plan_text(PlanReport{}, {}, false);
    CHECK(text.ends_with(
        "The refresh:\n  # with PGSLUICE_SOURCE and PGSLUICE_TARGET set as now\n  pgsluice refresh\n"));
}

TEST_CASE("long lists are cut unless asked for, but never what is lost") {
    PlanReport plan;
    for (int i = 0; i < 100; ++i) {
        plan.only_source.push_back("table s" + std::to_string(i));
        plan.only_target.push_back("table t" + std::to_string(i));
    }
    std::string definition;
    for (int i = 0; i < 100; ++i) definition += "line " + std::to_string(i) + "\n";
    plan.drift.push_back({"function f()", definition, "short"});
    const std::string cut = plan_text(plan, {}, false), full = plan_text(plan, {}, true);
    CHECK(cut.find("and 60 more: --verbose lists them") != std::string::npos);
    CHECK(cut.find("table t99") != std::string::npos);
    CHECK(cut.find("line 99") == std::string::npos);
    CHECK(full.find("table s99") != std::string::npos);
    CHECK(full.find("line 99") != std::string::npos);
}
