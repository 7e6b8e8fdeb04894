#include <boost/json.hpp>

#include "base/error.hpp"
#include "report/json_writer.hpp"
#include "report/report.hpp"

namespace pgsluice::report {

void write(JsonWriter& json, const WaitingReport& report) {
    json.key("waiting").begin_object().field("database", report.database);
    json.field("fingerprint", report.fingerprint).field("built", report.built);
    json.field("histories", report.histories).key("options").begin_object();
    for (const auto& [option, values] : report.options) json.strings(option, values);
    json.end_object().end_object();
}

WaitingReport read_waiting_report(std::string_view json) {
    WaitingReport report;
    try {
        const boost::json::object value = boost::json::parse({json.data(), json.size()}).as_object();
        const auto text = [&](const char* key) { return std::string(value.at(key).as_string()); };
        report.database = text("database");
        report.fingerprint = text("fingerprint");
        report.built = text("built");
        report.histories = text("histories");
        for (const auto& option : value.at("options").as_object())
            for (const boost::json::value& item : option.value().as_array())
                report.options[option.key()].emplace_back(item.as_string());
    } catch (const std::exception&) {
        throw Error{ErrorKind::refused, "what the waiting run recorded cannot be read"}
            .object("table pgsluice.run")
            .hint("build it anew: pgsluice refresh --no-swap --discard-waiting");
    }
    return report;
}

std::vector<TableReport> read_table_reports(std::string_view json) {
    std::vector<TableReport> tables;
    try {
        const boost::json::value list = boost::json::parse({json.data(), json.size()});
        for (const boost::json::value& item : list.as_array()) {
            const boost::json::object& value = item.as_object();
            TableReport table;
            table.schema = value.at("schema").as_string();
            table.name = value.at("name").as_string();
            table.format = value.at("format").as_string();
            table.rows = value.at("rows").to_number<std::uint64_t>();
            table.bytes = value.at("bytes").to_number<std::uint64_t>();
            table.seconds = value.at("seconds").to_number<double>();
            if (const boost::json::value* sum = value.if_contains("checksum"))
                table.checksum = std::string(sum->as_string());
            tables.push_back(std::move(table));
        }
    } catch (const std::exception&) {
        tables.clear();
    }
    return tables;
}

} // namespace pgsluice::report
