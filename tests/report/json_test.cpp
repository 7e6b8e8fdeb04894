// The report is read by programs: it must be JSON whatever names a hostile server sends, with stable keys.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "report/check_report.hpp"
#include "report/json_writer.hpp"
#include "report/plan_report.hpp"
#include "report/report.hpp"
#include "report/upkeep_report.hpp"
#include "report/verify_report.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::report;

TEST_CASE("json is nested, separated and indented") {
    JsonWriter json{true};
    json.begin_object().field("a", 1).key("b").begin_array().value("x").value(true).end_array();
    json.key("c").begin_array().end_array().field("d", 0.43).end_object();
    CHECK(json.text() ==
          "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    true\n  ],\n  \"c\": [],\n  \"d\": 0.43\n}");

    JsonWriter line{false};
    line.begin_object().field("a", 1).key("b").begin_object().end_object().end_object();
    CHECK(line.text() == R"({"a":1,"b":{}})");
}

TEST_CASE("json strings survive quotes, control characters and bytes that are not UTF-8") {
    JsonWriter json{false};
    json.begin_array().value("q\"b\\n\nt\te\x1b d\x7f").value("z\xC3\xBC \xF0\x9F\x90\x98");
    json.value("cut \xE2\x82").value("over \xC0\xAF").value("surrogate \xED\xA0\x80").end_array();
    CHECK(json.text() == "[\"q\\\"b\\\\n\\nt\\te\\u001b d\\u007f\",\"z\xC3\xBC \xF0\x9F\x90\x98\","
                         "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\",\"over \xEF\xBF\xBD\xEF\xBF\xBD\","
                         "\"surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"]");
    CHECK_NOTHROW(boost::json::parse(json.text()));
}

TEST_CASE("a number that is none becomes null") {
    JsonWriter json{false};
    json.begin_array().value(0.0 / 0.0).value(61.0).value(1.23456).end_array();
    CHECK(json.text() == "[null,61,1.235]");
}

TEST_CASE("a failed run's report says why, a successful one has no error") {
    RefreshReport report;
    report.run_id = "abcdefgh";
    report.state = "swapped";
    report.tables.push_back({"public", "or\"ders", "binary", 3, 42, 0.5, std::string("c0ffee")});
    report.remarks.push_back({"trigger x", "not carried", "grant it", "create trigger"});
    const auto good = boost::json::parse(to_json(report)).as_object();
    CHECK(good.at("state") == "swapped");
    CHECK(good.if_contains("error") == nullptr);
    CHECK(good.at("tables").at(0).at("name") == "or\"ders");
    CHECK(good.at("tables").at(0).at("checksum") == "c0ffee");
    CHECK(good.at("remarks").at(0).at("hint") == "grant it");

    report.error = "cannot connect";
    report.error_sqlstate = "08006";
    const auto bad = boost::json::parse(to_json(report, false)).as_object();
    CHECK(bad.at("error").at("sqlstate") == "08006");
}

TEST_CASE("every other report is JSON, too") {
    PlanReport plan;
    plan.refusals.push_back({"table public.deltas", "only on the target", "--extras=drop"});
    plan.migrations.push_back(
        {"public.flyway_schema_history", "Flyway", "source ahead", "", {{"7", "x"}}, {}, {}, {}});
    CHECK(boost::json::parse(to_json(plan)).at("would_run") == false);
    CHECK(boost::json::parse(to_json(plan)).at("migrations").at(0).at("equal") == false);

    RefreshReport waits;
    waits.waiting = WaitingReport{
        "app_x", "aa", "bb", "cc", {{"--preserve", {"users=email", "\"odd\n\""}}, {"--keep", {}}}};
    const auto waiting = boost::json::serialize(boost::json::parse(to_json(waits)).at("waiting"));
    CHECK(read_waiting_report(waiting).built == "bb");
    CHECK(read_waiting_report(waiting).options.at("--preserve").at(1) == "\"odd\n\"");
    CHECK_THROWS(read_waiting_report("null"));

    CheckReport check;
    check.items.push_back({Side::target, "CREATEDB", false, Needed::now, "alter role r createdb", ""});
    CHECK(boost::json::parse(to_json(check)).at("ok") == false);

    VerifyReport verify;
    verify.tables.push_back({"public.t", false, 1, 2, {}, {}, {}, ChangedBy::target});
    CHECK(boost::json::parse(to_json(verify)).at("exit_code") ==
          0); // rows alone are no failure: both sides live
    verify.schema.push_back({"table public.t", "missing", "", "", true});
    CHECK(boost::json::parse(to_json(verify)).at("exit_code") == 0);
    verify.schema.push_back({"view public.v", "missing", "", "", false});
    CHECK(boost::json::parse(to_json(verify)).at("exit_code") == 1);

    CHECK_NOTHROW(boost::json::parse(to_json(RollbackReport{})));
    CHECK_NOTHROW(
        boost::json::parse(to_json(CleanupReport{"app", {{"app_previous", "previous", 1}}, {"x"}, {}})));
    CHECK_NOTHROW(boost::json::parse(to_json(HistoryReport{"app", {HistoryEntry{}}})));
    CHECK_NOTHROW(boost::json::parse(to_json(MarkReport{})));
}
