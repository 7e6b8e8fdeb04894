#include "report/json_writer.hpp"
#include "report/verify_report.hpp"

namespace pgsluice::report {

namespace {

const char* name_of(ChangedBy who) {
    switch (who) {
    case ChangedBy::nobody: return "nobody";
    case ChangedBy::source: return "source";
    case ChangedBy::target: return "target";
    case ChangedBy::both: return "both";
    case ChangedBy::unknown: break;
    }
    return "unknown";
}

void write(JsonWriter& json, const TableVerification& table) {
    json.begin_object().field("table", table.table).field("same", table.same);
    json.field("rows_source", table.rows_source).field("rows_target", table.rows_target);
    if (table.checksum_source) json.field("checksum_source", *table.checksum_source);
    if (table.checksum_target) json.field("checksum_target", *table.checksum_target);
    if (table.checksum_recorded) json.field("checksum_recorded", *table.checksum_recorded);
    json.field("changed_by", name_of(table.changed_by)).end_object();
}

} // namespace

std::string to_json(const VerifyReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("source", report.source).field("target", report.target);
    json.field("run_id", report.run_id).field("exit_code", report.exit_code());
    json.field("read_source", format_rfc3339(report.read_source));
    json.field("read_target", format_rfc3339(report.read_target));
    json.field("seconds", report.seconds).field("run_checksums_differ", report.run_checksums_differ);
    json.key("schema").begin_array();
    for (const SchemaDifference& difference : report.schema) {
        json.begin_object().field("object", difference.object).field("what", difference.what);
        json.field("source", difference.source).field("target", difference.target);
        json.field("recorded", difference.recorded).end_object();
    }
    json.end_array().key("tables").begin_array();
    for (const TableVerification& table : report.tables) write(json, table);
    json.end_array().strings("notes", report.notes).end_object();
    return json.text();
}

} // namespace pgsluice::report
