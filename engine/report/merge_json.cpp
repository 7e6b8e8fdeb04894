#include "report/json_writer.hpp"
#include "report/merge_report.hpp"

namespace pgsluice::report {

namespace {

void write_items(JsonWriter& json, std::string_view name, const std::vector<MigrationItem>& items) {
    json.key(name).begin_array();
    for (const MigrationItem& item : items)
        json.begin_object()
            .field("version", item.version)
            .field("description", item.description)
            .end_object();
    json.end_array();
}

} // namespace

void write(JsonWriter& json, const HistoryDifference& item) {
    json.begin_object().field("table", item.table).field("tool", item.tool).field("equal", item.equal());
    json.field("standing", item.standing).field("action", item.action);
    write_items(json, "only_source", item.only_source);
    write_items(json, "only_target", item.only_target);
    write_items(json, "different_checksum", item.different_checksum);
    write_items(json, "failed_or_repeatable", item.failed_or_repeatable);
    json.end_object();
}

void write(JsonWriter& json, const LosingTable& item) {
    json.begin_object().field("table", item.table).field("rows_estimated", item.rows_estimated).end_object();
}

void write(JsonWriter& json, const MergeReport& report) {
    json.key("merge").begin_object();
    json.strings("carried", report.carried).key("pending").begin_array();
    for (const PendingItem& item : report.pending)
        json.begin_object()
            .field("object", item.object)
            .field("reason", item.reason)
            .field("sql", item.sql)
            .end_object();
    json.end_array().key("tables").begin_array();
    for (const MergedTable& table : report.merged) {
        json.begin_object().field("table", table.table).field("preserved", table.preserved);
        json.field("same", table.same).field("added", table.added).field("new_keys", table.new_keys);
        json.field("repointed", table.repointed).field("duplicates", table.duplicates);
        json.field("deleted", table.deleted).field("rejected", table.rejected).field("nulled", table.nulled);
        json.strings("reasons", table.reasons).end_object();
    }
    json.end_array().field("late_rows", report.late_rows);
    json.key("histories").begin_array();
    for (const HistoryDifference& history : report.histories) write(json, history);
    json.end_array().field("applied_again", report.applied_again).strings("staying", report.staying);
    json.key("migrated").begin_array();
    for (const MigrateRun& run : report.migrated)
        json.begin_object().field("command", run.command).field("seconds", run.seconds).end_object();
    json.end_array().strings("changed_by_migration", report.changed_by_migration);
    json.key("only_in_previous").begin_array();
    for (const LosingTable& table : report.only_in_previous) write(json, table);
    json.end_array().end_object();
}

std::string in_words(const MergedTable& table) {
    std::string text;
    const auto add = [&](std::uint64_t count, const std::string& what) {
        if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + what;
    };
    std::string added = "of the target added";
    if (table.new_keys > 0) added += " (" + std::to_string(table.new_keys) + " under a new key)";
    add(table.added, added);
    add(table.same, "known to the source");
    add(table.repointed, "with a reference that follows");
    add(table.duplicates, "equal to one that is there");
    add(table.deleted, "deleted in prod");
    add(table.nulled, "with a reference that becomes NULL");
    add(table.rejected, "rejected");
    return "rows: " + (text.empty() ? "none of the target" : text);
}

} // namespace pgsluice::report
