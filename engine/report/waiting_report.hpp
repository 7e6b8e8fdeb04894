// What a run that waits for its swap (refresh --no-swap) leaves for the command swap, in pgsluice.run.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::report {

class JsonWriter;
struct TableReport;

struct WaitingReport {
    std::string database;    // that is swapped in later
    std::string fingerprint; // of the target's schema when its catalog was read
    std::string built; // of the new database's when it was complete: differs once somebody has migrated it
    std::string histories;                                   // mark of the target's migration histories
    std::map<std::string, std::vector<std::string>> options; // "--preserve": its values
};

void write(JsonWriter& json, const WaitingReport& report); // key "waiting" and its value
WaitingReport
read_waiting_report(std::string_view json); // that value. Throws Error{refused} where it is none

// The `tables` of a report. Nothing where they cannot be read: they are for people.
std::vector<TableReport> read_table_reports(std::string_view json);

} // namespace pgsluice::report
