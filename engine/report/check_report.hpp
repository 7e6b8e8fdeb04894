// What `pgsluice check` found: both servers, and every right that refresh needs (rules.md section 6).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::report {

struct ServerFacts {
    std::string host, port, database, role; // as connected, never a password
    std::string version;                    // "15.18 (Debian ...)", as the server says it
    int version_number = 0;                 // 150018
    std::string tls;                        // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: not encrypted
    std::string system_identifier;          // empty where the role may not read it
    std::uint64_t database_bytes = 0;
    bool standby = false;
};

enum class Side { source, target };
enum class Needed { now, at_the_swap };

struct CheckItem {
    Side side = Side::source;
    std::string right; // "SELECT on table public.orders", "CREATEDB", "extension postgis"
    bool ok = false;
    Needed needed = Needed::now;
    std::string granted_by; // the command that grants it, to be run by somebody who may; empty when ok
    std::string note;       // what else a person should know about it
    bool stops = true;      // refresh stops where it is missing; else it tries without
};

struct CheckReport {
    ServerFacts source, target;
    std::vector<CheckItem> items;
    std::vector<std::string> notes;
    bool ok() const {
        for (const CheckItem& item : items)
            if (!item.ok) return false;
        return true;
    }
};

std::string to_json(const CheckReport& report, bool indent = true);

} // namespace pgsluice::report
