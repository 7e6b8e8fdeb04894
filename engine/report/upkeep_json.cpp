#include "report/json_writer.hpp"
#include "report/upkeep_report.hpp"

namespace pgsluice::report {

std::string to_json(const RollbackReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("target", report.target).field("previous", report.previous);
    json.field("seconds_away", report.seconds_away).strings("notes", report.notes).end_object();
    return json.text();
}

std::string to_json(const CleanupReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("target", report.target).key("dropped").begin_array();
    for (const DroppedDatabase& database : report.dropped) {
        json.begin_object().field("name", database.name).field("what", database.what);
        json.field("bytes", database.bytes).end_object();
    }
    json.end_array().strings("kept", report.kept).strings("notes", report.notes).end_object();
    return json.text();
}

std::string to_json(const HistoryReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("target", report.target).key("runs").begin_array();
    for (const HistoryEntry& run : report.runs) {
        json.begin_object().field("run_id", run.run_id).field("state", run.state).field("source", run.source);
        json.field("started", format_rfc3339(run.started));
        if (run.finished != WallTime{}) json.field("finished", format_rfc3339(run.finished));
        // As text: what a table of the target holds is not trusted to be JSON.
        json.field("report", run.report_json).end_object();
    }
    json.end_array().end_object();
    return json.text();
}

std::string to_json(const PendingReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("target", report.target).key("pending").begin_array();
    for (const PendingLine& line : report.pending) {
        json.begin_object().field("object", line.object).field("why", line.why).field("reason", line.reason);
        json.field("sql", line.sql).field("run_id", line.run_id).field("since", line.since);
        json.field("last_tried", line.last_tried).end_object();
    }
    json.end_array().key("rejected").begin_array();
    for (const RejectedLine& line : report.rejected)
        json.begin_object()
            .field("table", line.table)
            .field("reason", line.reason)
            .field("rows", line.rows)
            .end_object();
    json.end_array().end_object();
    return json.text();
}

std::string to_json(const MarkReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("host", report.host).field("port", report.port);
    json.field("database", report.database).field("role", report.role);
    json.field("system_identifier", report.system_identifier).field("database_bytes", report.database_bytes);
    json.field("allowed_source", report.allowed_source).field("previous_source", report.previous_source);
    json.field("marked", report.marked).end_object();
    return json.text();
}

} // namespace pgsluice::report
