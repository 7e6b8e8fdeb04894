#include "pq/session.hpp"

#include "pq/connection.hpp"
#include "pq/quote.hpp"

namespace pgsluice::pq {

namespace {

// A setting that only servers from `since` on know (0: all).
struct Setting {
    const char* text;
    int since = 0;
};

constexpr Setting settings[] = {
    {"datestyle to ISO"},
    {"intervalstyle to postgres"},
    {"timezone to UTC"},    // or time constants of definitions and bounds read otherwise on either side
    {"lc_monetary to 'C'"}, // the same of money
    {"extra_float_digits to 3"},
    {"array_nulls to on"}, // off, the NULLs of an array arrive as the word
    {"transform_null_equals to off"},
    {"standard_conforming_strings to on"},
    {"bytea_output to hex"},
    {"xmloption to content"},
    {"quote_all_identifiers to off"},
    {"row_security to off"}, // a policy that would hide rows is then an error
    {"statement_timeout to 0"},
    {"lock_timeout to 0"},
    {"idle_in_transaction_session_timeout to 0"},
    {"idle_session_timeout to 0", 140000},
    {"transaction_timeout to 0", 170000},
    {"synchronize_seqscans to off"},
    {"exit_on_error to off"},
    {"jit to off"}, // a statement of ours is never worth a third of a second of compiling
    {"default_transaction_isolation to 'read committed'"},
};

} // namespace

std::string session_profile(Side side, int server_version, std::string_view application_name) {
    std::string sql = "select pg_catalog.set_config('search_path', '', false);"
                      "set client_encoding to 'UTF8';" // before any text of ours that is not ASCII
                      "set application_name to " +
                      quote_literal(application_name) + ";";
    for (const Setting& setting : settings)
        if (server_version >= setting.since) sql += std::string("set ") + setting.text + ";";
    if (side == Side::target)
        // A preprod that is read only by ALTER ROLE or ALTER DATABASE is to be written all the same.
        sql += "set default_transaction_read_only to off;";
    if (side == Side::source)
        // The last line only does something where the minor release has it: it came as a security fix.
        sql += "set default_transaction_read_only to on;"
               "select pg_catalog.set_config(name, 'view, foreign-table', false) from pg_catalog.pg_settings"
               " where name operator(pg_catalog.=) 'restrict_nonsystem_relation_kind';";
    return sql;
}

std::string connection_check(Side side, int server_version) {
    if (side != Side::target || server_version < 140000) return "";
    return "set client_connection_check_interval to '1s'";
}

} // namespace pgsluice::pq
