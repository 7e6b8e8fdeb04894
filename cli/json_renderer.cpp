#include "json_renderer.hpp"

#include <ostream>

#include "report/json_writer.hpp"

namespace pgsluice::cli {

using namespace std::chrono_literals;
using report::JsonWriter;

namespace {

double seconds(report::Duration took) { return std::chrono::duration<double>(took).count(); }

// Adds the fields of one event, its name first.
struct FieldsOf {
    JsonWriter& json;

    void operator()(const report::RunStarted& it) const {
        json.field("event", "run_started").field("command", it.command);
        json.field("source", it.source).field("target", it.target);
    }
    void operator()(const report::StepStarted& it) const {
        json.field("event", "step_started").field("text", it.text);
    }
    void operator()(const report::PlanMade& it) const {
        json.field("event", "plan_made")
            .field("tasks", it.tasks)
            .field("bytes_to_copy", it.bytes_to_copy)
            .field("lanes", it.lanes);
    }
    void operator()(const report::TaskStarted& it) const {
        json.field("event", "task_started").field("task", it.task).field("lane", it.lane);
        json.field("kind", it.kind).field("label", it.label).field("bytes_estimated", it.bytes);
    }
    void operator()(const report::BytesMoved& it) const {
        json.field("event", "bytes_moved").field("task", it.task).field("lane", it.lane);
        json.field("bytes", it.bytes).field("rows", it.rows);
    }
    void operator()(const report::TaskFinished& it) const {
        json.field("event", "task_finished").field("task", it.task).field("lane", it.lane);
        json.field("kind", it.kind).field("label", it.label).field("succeeded", it.succeeded);
        json.field("bytes", it.bytes).field("rows", it.rows).field("seconds", seconds(it.took));
    }
    void operator()(const report::SourceReleased& it) const {
        json.field("event", "source_released").field("seconds_held", seconds(it.held));
    }
    void operator()(const report::Remarked& it) const {
        json.field("event", "remark").field("object", it.object).field("text", it.text);
        json.field("hint", it.hint).field("sql", it.sql);
    }
    void operator()(const report::Noted& it) const {
        json.field("event", "note").field("object", it.object).field("text", it.text);
    }
    void operator()(const report::Swapped& it) const {
        json.field("event", "swapped").field("previous", it.previous).field("seconds_away", seconds(it.away));
    }
    void operator()(const report::RunFinished& it) const {
        json.field("event", "run_finished").field("succeeded", it.succeeded).field("text", it.text);
        json.field("seconds", seconds(it.took));
    }
};

void start(JsonWriter& json, const Now& now, const std::string& run_id) {
    json.begin_object().field("time", format_rfc3339(now.wall)).field("run_id", run_id);
}

} // namespace

void JsonRenderer::on(const report::Event& event, const Now& now) {
    if (const auto* run = std::get_if<report::RunStarted>(&event)) run_id_ = run->run_id;
    if (!wanted(event, now)) return;
    JsonWriter json{false};
    start(json, now, run_id_);
    std::visit(FieldsOf{json}, event);
    out_ << json.end_object().text() << std::endl;
}

void JsonRenderer::finish(const std::string& summary, const Now& now) {
    if (verbosity_ == Verbosity::quiet || summary.empty()) return;
    JsonWriter json{false};
    start(json, now, run_id_);
    out_ << json.field("event", "summary").field("text", summary).end_object().text() << std::endl;
}

void JsonRenderer::fail(const Error& error, const Now& now) {
    JsonWriter json{false};
    start(json, now, run_id_);
    json.field("event", "error").field("message", error.message()).field("sqlstate", error.sqlstate());
    json.field("object", error.object()).field("detail", error.detail()).field("hint", error.hint());
    json.field("exit_code", exit_code(error.kind()));
    out_ << json.end_object().text() << std::endl;
}

bool JsonRenderer::wanted(const report::Event& event, const Now& now) {
    if (verbosity_ == Verbosity::quiet) {
        const auto* task = std::get_if<report::TaskFinished>(&event);
        return std::holds_alternative<report::Remarked>(event) || (task != nullptr && !task->succeeded);
    }
    const auto* moved = std::get_if<report::BytesMoved>(&event);
    if (moved == nullptr) return true;
    const auto [at, first] = moved_at_.try_emplace(moved->lane, now.steady);
    if (!first && now.steady - at->second < 1s) return false;
    at->second = now.steady;
    return true;
}

} // namespace pgsluice::cli
