#include "report/check_report.hpp"
#include "report/json_writer.hpp"

namespace pgsluice::report {

namespace {

void write(JsonWriter& json, std::string_view name, const ServerFacts& facts) {
    json.key(name).begin_object().field("host", facts.host).field("port", facts.port);
    json.field("database", facts.database).field("role", facts.role).field("version", facts.version);
    json.field("version_number", facts.version_number).field("tls", facts.tls);
    json.field("system_identifier", facts.system_identifier);
    json.field("database_bytes", facts.database_bytes).field("standby", facts.standby).end_object();
}

} // namespace

std::string to_json(const CheckReport& report, bool indent) {
    JsonWriter json{indent};
    json.begin_object().field("ok", report.ok());
    write(json, "source", report.source);
    write(json, "target", report.target);
    json.key("items").begin_array();
    for (const CheckItem& item : report.items) {
        json.begin_object().field("side", item.side == Side::source ? "source" : "target");
        json.field("right", item.right).field("ok", item.ok);
        json.field("needed", item.needed == Needed::now ? "now" : "at the swap");
        json.field("stops", item.stops);
        json.field("granted_by", item.granted_by).field("note", item.note).end_object();
    }
    json.end_array().strings("notes", report.notes).end_object();
    return json.text();
}

} // namespace pgsluice::report
