#include "report/json_writer.hpp"
#include "report/plan_report.hpp"

namespace pgsluice::report {

namespace {

void write(JsonWriter& json, const KindCount& item) {
    json.begin_object().field("kind", item.kind).field("count", item.count).end_object();
}

void write(JsonWriter& json, const DriftItem& item) {
    json.begin_object().field("object", item.object).field("source_definition", item.source_definition);
    json.field("target_definition", item.target_definition).end_object();
}

void write(JsonWriter& json, const ColumnDifference& item) {
    json.begin_object().field("table", item.table).strings("only_source", item.only_source);
    json.strings("only_target", item.only_target).end_object();
}

void write(JsonWriter& json, const LabelDifference& item) {
    json.begin_object().field("type", item.type).strings("only_source", item.only_source);
    json.strings("only_target", item.only_target).end_object();
}

void write(JsonWriter& json, const NamedReason& item) {
    json.begin_object().field("object", item.object).field("reason", item.reason).field("hint", item.hint);
    json.end_object();
}

void write(JsonWriter& json, const Refusal& item) {
    json.begin_object().field("object", item.object).field("text", item.text).field("hint", item.hint);
    json.end_object();
}

template <class T>
void write_list(JsonWriter& json, std::string_view name, const std::vector<T>& list) {
    json.key(name).begin_array();
    for (const T& item : list) write(json, item);
    json.end_array();
}

} // namespace

std::string to_json(const PlanReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("source", report.source).field("source_version", report.source_version);
    json.field("target", report.target).field("target_version", report.target_version);
    json.field("method", report.method).field("method_why", report.method_why);
    json.field("would_run", report.refusals.empty());
    write_list(json, "refusals", report.refusals);
    write_list(json, "create", report.create);
    json.field("tasks", report.tasks).field("lanes", report.lanes).field("index_jobs", report.index_jobs);
    json.field("lanes_why", report.lanes_why);
    json.field("rows_estimated", report.rows_estimated).field("bytes_estimated", report.bytes_estimated);
    json.field("disk_bytes_now", report.disk_bytes_now).field("disk_bytes_kept", report.disk_bytes_kept);
    if (report.disk_bytes_freed) json.field("disk_bytes_freed", *report.disk_bytes_freed);
    json.strings("only_source", report.only_source).strings("only_target", report.only_target);
    write_list(json, "drift", report.drift);
    write_list(json, "columns", report.columns);
    write_list(json, "enum_labels", report.enum_labels);
    write_list(json, "migrations", report.migrations);
    json.field("recorded_run", report.recorded_run).field("recorded_at", report.recorded_at);
    json.strings("dropped_in_prod", report.dropped_in_prod);
    write(json, report.merge);
    write_list(json, "unsupported_source", report.unsupported_source);
    write_list(json, "unsupported_target", report.unsupported_target);
    write_list(json, "wires_left_out", report.wires_left_out);
    write_list(json, "losing", report.losing);
    json.field("previous", report.previous);
    write_list(json, "only_in_previous", report.only_in_previous);
    json.strings("notes", report.notes).strings("refresh_arguments", report.refresh_arguments);
    json.end_object();
    return json.text();
}

} // namespace pgsluice::report
