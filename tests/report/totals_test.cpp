#include "report/totals.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::report;
using namespace std::chrono_literals;

TEST_CASE("the bar follows estimates and never runs past them") {
    Totals totals;
    CHECK(totals.fraction() == 0);
    totals.add(PlanMade{2, 200, 2});
    totals.add(TaskStarted{0, 1, "copy", "copy public.a", 100, 100});
    totals.add(BytesMoved{0, 1, 50, 5});
    CHECK(totals.fraction() == 0.25);
    totals.add(BytesMoved{0, 1, 500, 50}); // the estimate was wrong: text is wider than pages
    CHECK(totals.fraction() == 0.5);
    CHECK(totals.bytes_moved() == 500);
    totals.add(TaskFinished{0, 1, "copy", "copy public.a", true, 600, 60, 1s});
    CHECK(totals.fraction() == 0.5);
    CHECK(totals.bytes_moved() == 600);
    CHECK(totals.rows_moved() == 60);
    CHECK(totals.running.empty());
}

TEST_CASE("a late report of bytes does not count for the lane's next task") {
    Totals totals;
    totals.add(TaskStarted{7, 1, "copy", "copy b", 10});
    totals.add(BytesMoved{6, 1, 99, 9});
    CHECK(totals.bytes_moved() == 0);
}

TEST_CASE("an index counts as it costs, not as its table is large") {
    Totals totals;
    totals.add(PlanMade{2, 400, 2});
    totals.add(TaskStarted{0, 1, "copy", "copy public.a", 50, 100});
    totals.add(BytesMoved{0, 1, 25, 5});
    CHECK(totals.fraction() == 0.125);
    totals.add(TaskFinished{0, 1, "copy", "copy public.a", true, 60, 60, 1s});
    totals.add(TaskStarted{1, 1, "index", "index public.a_pkey", 50, 300});
    CHECK(totals.fraction() == 0.25);
    totals.add(TaskFinished{1, 1, "index", "index public.a_pkey", true, 0, 0, 1s});
    CHECK(totals.fraction() == 1);
}

TEST_CASE("a plan without bytes is measured in tasks") {
    Totals totals;
    totals.add(PlanMade{4, 0, 1});
    totals.add(TaskStarted{0, 1, "ddl", "schema", 0});
    totals.add(TaskFinished{0, 1, "ddl", "schema", false, 0, 0, 1s});
    CHECK(totals.fraction() == 0.25);
    CHECK(totals.tasks_failed == 1);
}

TEST_CASE("a task is named once") {
    CHECK(task_name("copy", "copy public.a") == "copy public.a");
    CHECK(task_name("copy", "public.a") == "copy public.a");
    CHECK(task_name("ddl", "3 tables") == "3 tables");
    CHECK(task_name("index", "") == "index");
}

TEST_CASE("a run that fails leaves a report with what was known") {
    ReportCollector collector;
    collector.add(RunStarted{"abcdefgh", "refresh", "prod/app", "preprod/app"});
    collector.add(PlanMade{9, 100, 4});
    collector.add(TaskFinished{0, 1, "copy", "copy a", true, 70, 7, 1s});
    collector.add(Remarked{"trigger x", "not carried", "", ""});
    const Error error = Error{ErrorKind::target, "disk full"}.sqlstate("53100").hint("make room");
    const RefreshReport report = collector.failed(error, WallTime{}, WallTime{} + 2s);
    CHECK(report.run_id == "abcdefgh");
    CHECK(report.state == "failed");
    CHECK(report.rows == 7);
    CHECK(report.seconds == 2);
    CHECK(report.remarks.size() == 1);
    CHECK(report.error_sqlstate == "53100");
    CHECK(report.error_hint == "make room");

    RefreshReport own;
    own.run_id = "abcdefgh";
    own.seconds = 9;
    own.tables.resize(3);
    RunFinished finished;
    finished.report = &own;
    collector.add(finished);
    CHECK(collector.failed(error, WallTime{}, WallTime{} + 2s).tables.size() == 3);
    CHECK(collector.failed(error, WallTime{}, WallTime{} + 2s).seconds == 9);
    CHECK(collector.failed(error, WallTime{}, WallTime{} + 2s).error == "disk full");
}

TEST_CASE("the summary is one line with what a person asks first") {
    RefreshReport report;
    report.tables.resize(52);
    report.rows = 1234567;
    report.bytes = 3ull << 30;
    report.seconds = 125;
    report.seconds_away = 0.43;
    report.seconds_source_held = 61;
    report.previous = "app_previous";
    report.notes.resize(1);
    CHECK(summary(report) ==
          "52 tables, 1,234,567 rows, 3.0 GiB in 2 min 5 s; target away 0.43 s; source held "
          "1 min 1 s; the old database is app_previous; 1 note");
    report.merge.applied_again = 2;
    report.merge.staying = {"public.notes", "public.mine"};
    CHECK(summary(report).find("the old database is app_previous; 2 migrations will be applied again at the "
                               "service's next restart; rows of public.notes, public.mine stay in "
                               "app_previous; 1 note") != std::string::npos);
}
