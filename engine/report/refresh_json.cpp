#include "report/json_writer.hpp"
#include "report/report.hpp"

namespace pgsluice::report {

namespace {

void write(JsonWriter& json, const TableReport& table) {
    json.begin_object().field("schema", table.schema).field("name", table.name).field("format", table.format);
    json.field("rows", table.rows).field("bytes", table.bytes).field("seconds", table.seconds);
    if (table.checksum) json.field("checksum", *table.checksum);
    json.end_object();
}

void write(JsonWriter& json, const Remarked& remark) {
    json.begin_object().field("object", remark.object).field("text", remark.text);
    json.field("hint", remark.hint).field("sql", remark.sql).end_object();
}

void write(JsonWriter& json, const Noted& note) {
    json.begin_object().field("object", note.object).field("text", note.text).end_object();
}

template <class T>
void write_list(JsonWriter& json, std::string_view name, const std::vector<T>& list) {
    json.key(name).begin_array();
    for (const T& item : list) write(json, item);
    json.end_array();
}

} // namespace

std::string to_json(const RefreshReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("run_id", report.run_id).field("state", report.state);
    json.field("source", report.source).field("target", report.target).field("previous", report.previous);
    json.field("started", format_rfc3339(report.started)).field("finished", format_rfc3339(report.finished));
    json.field("seconds", report.seconds).field("seconds_away", report.seconds_away);
    json.field("seconds_source_held", report.seconds_source_held);
    json.field("rows", report.rows).field("bytes", report.bytes).field("tasks", report.tasks);
    json.field("lanes", report.lanes);
    json.field("source_queries", report.source_queries).field("target_queries", report.target_queries);
    if (!report.error.empty()) {
        json.key("error")
            .begin_object()
            .field("message", report.error)
            .field("sqlstate", report.error_sqlstate);
        json.field("object", report.error_object).field("hint", report.error_hint).end_object();
    }
    write(json, report.merge);
    if (report.waiting) write(json, *report.waiting);
    write_list(json, "remarks", report.remarks);
    write_list(json, "notes", report.notes);
    write_list(json, "tables", report.tables);
    json.end_object();
    return json.text();
}

} // namespace pgsluice::report
