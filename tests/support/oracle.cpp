#include "support/oracle.hpp"

#include "support/catch.hpp"
#include "support/program.hpp"
#include "support/session.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace pgsluice::tests {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t from = 0;
    while (from < text.size()) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        lines.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return lines;
}

bool has(std::string_view heading, std::string_view word) {
    return heading.find(word) != std::string_view::npos;
}

// The part of an entry whose lines are a set: rows between COPY and \. , and the statements of an ACL.
void sort_sets(std::string_view heading, std::vector<std::string>& lines) {
    if (has(heading, "; Type: ACL;") || has(heading, "; Type: DEFAULT ACL;")) {
        std::sort(lines.begin(), lines.end());
        return;
    }
    if (!has(heading, "; Type: TABLE DATA;")) return;
    const auto copy = std::find_if(lines.begin(), lines.end(),
                                   [](const std::string& line) { return line.ends_with(" FROM stdin;"); });
    const auto end = std::find(copy, lines.end(), "\\.");
    if (copy != end) std::sort(copy + 1, end);
}

// SET lines between entries depend on the entries' order; what they set is checked by its effect.
bool is_noise(std::string_view line) {
    return line.empty() || line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ") ||
           line.starts_with("SET default_tablespace = ") ||
           line.starts_with("SET default_table_access_method = ");
}

void add_entry(StockDump& dump, std::string heading, std::vector<std::string>& lines) {
    sort_sets(heading, lines);
    // Two entries may have one heading, as unnamed ones of two grantors have: both are kept, in order of
    // text.
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    lines.clear();
    auto [place, is_new] = dump.emplace(heading, text);
    while (!is_new) {
        if (text < place->second) std::swap(text, place->second);
        heading += " (again)";
        std::tie(place, is_new) = dump.emplace(heading, text);
    }
}

std::string in_few_lines(const std::string& expected, const std::string& actual) {
    const std::vector<std::string> left = lines_of(expected), right = lines_of(actual);
    std::size_t at = 0;
    while (at < left.size() && at < right.size() && left[at] == right[at]) ++at;
    std::string shown = "  first differing line is " + std::to_string(at + 1) + " of " +
                        std::to_string(left.size()) + " and " + std::to_string(right.size()) + "\n";
    constexpr std::size_t width_max = 400, lines_max = 5;
    for (std::size_t i = at; i < std::min(left.size(), at + lines_max); ++i)
        shown += "  expected: " + left[i].substr(0, width_max) + "\n";
    for (std::size_t i = at; i < std::min(right.size(), at + lines_max); ++i)
        shown += "  actual:   " + right[i].substr(0, width_max) + "\n";
    return shown;
}

} // namespace

StockDump parse_stock_dump(const std::string& text) {
    const std::vector<std::string> all = lines_of(text);
    StockDump dump;
    std::string heading = "(head of the dump)";
    std::vector<std::string> body;
    for (std::size_t i = 0; i < all.size(); ++i) {
        // An entry starts with three lines: "--", "-- Name: ...; Type: ...", "--".
        const bool starts =
            all[i] == "--" && i + 2 < all.size() && all[i + 2] == "--" &&
            (all[i + 1].starts_with("-- Name: ") || all[i + 1].starts_with("-- Data for Name: "));
        if (starts) {
            add_entry(dump, heading, body);
            heading = all[i + 1].substr(3);
            i += 2;
        } else if (all[i].starts_with("-- PostgreSQL database dump") || all[i].starts_with("-- Dumped ")) {
            continue;
        } else if (!is_noise(all[i])) {
            body.push_back(all[i]);
        }
    }
    add_entry(dump, heading, body);
    return dump;
}

StockDump stock_dump(const std::string& conninfo) {
    ProgramOptions options;
    options.timeout = std::chrono::minutes(10);
    return parse_stock_dump(output_of({"pg_dump", "--exclude-schema=pgsluice", "-d", conninfo}, options));
}

std::map<std::string, std::string> table_checksums(const std::string& conninfo) {
    Session session{conninfo};
    session.sql("set search_path = ''");
    session.sql("set row_security = off");
    const auto tables = session.rows(
        "select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where (c.relkind = 'r' or c.relkind = 'm' and c.relispopulated) and c.relpersistence <> 't'"
        " and n.nspname not in ('pg_catalog', 'information_schema', 'pgsluice') and n.nspname !~ "
        "'^pg_toast'");
    std::map<std::string, std::string> sums;
    for (const auto& table : tables) {
        // `only`: a parent's rows without those of its children. A row's text is the same on both sides.
        sums[table[0]] = session.value("select pg_catalog.count(*) || ':' || coalesce(pg_catalog.sum("
                                       "pg_catalog.hashtextextended((row_of_it.*)::pg_catalog.text, "
                                       "0)::pg_catalog.numeric), 0) from only " +
                                       table[0] + " as row_of_it");
    }
    return sums;
}

std::string database_properties(TestCluster& cluster, const std::string& name) {
    Session session{cluster.superuser_conninfo()};
    return session.value(
        "select pg_catalog.concat_ws(E'\\n', 'owner ' || pg_catalog.pg_get_userbyid(d.datdba),"
        " 'encoding ' || d.encoding, 'collate ' || d.datcollate, 'ctype ' || d.datctype,"
        // By name from the row: older servers have no such columns, newer ones other names.
        " 'provider ' || (pg_catalog.to_jsonb(d) ->> 'datlocprovider'),"
        " 'icu ' || coalesce(pg_catalog.to_jsonb(d) ->> 'daticulocale', pg_catalog.to_jsonb(d) ->> "
        "'datlocale'),"
        " 'limit ' || d.datconnlimit,"
        " 'connect ' || d.datallowconn, 'template ' || d.datistemplate,"
        " 'acl ' || (select pg_catalog.string_agg(a::text, ' ' order by a::text)"
        "            from pg_catalog.unnest(d.datacl) a),"
        " 'comment ' || pg_catalog.shobj_description(d.oid, 'pg_database'),"
        " 'settings ' || (select pg_catalog.string_agg(coalesce(r.rolname, '-') || ' ' || s.setconfig::text, "
        "' '"
        "   order by r.rolname) from pg_catalog.pg_db_role_setting s left join pg_catalog.pg_roles r"
        "   on r.oid = s.setrole where s.setdatabase = d.oid))"
        " from pg_catalog.pg_database d where d.datname = " +
        session.literal(name));
}

std::string first_difference(const StockDump& expected, const StockDump& actual) {
    std::string missing, unexpected, differing;
    int count = 0;
    constexpr int names_max = 10;
    for (const auto& [heading, text] : expected) {
        const auto found = actual.find(heading);
        if (found == actual.end()) {
            if (++count <= names_max) missing += "missing: " + heading + "\n";
        } else if (found->second != text) {
            if (++count <= names_max)
                differing += "differs: " + heading + "\n" +
                             (differing.empty() ? in_few_lines(text, found->second) : std::string{});
        }
    }
    for (const auto& [heading, text] : actual)
        if (!expected.contains(heading) && ++count <= 2 * names_max)
            unexpected += "unexpected: " + heading + "\n";
    if (count == 0) return "";
    return std::to_string(count) + " entries of stock pg_dump differ\n" + missing + unexpected + differing;
}

void expect_equal_databases(const std::string& expected_conninfo, const std::string& actual_conninfo) {
    const std::string difference =
        first_difference(stock_dump(expected_conninfo), stock_dump(actual_conninfo));
    INFO(difference);
    CHECK(difference.empty());
    const auto expected_sums = table_checksums(expected_conninfo),
               actual_sums = table_checksums(actual_conninfo);
    std::string tables;
    for (const auto& [table, sum] : expected_sums) {
        const auto found = actual_sums.find(table);
        if (found == actual_sums.end())
            tables += table + " is missing\n";
        else if (found->second != sum)
            tables += table + ": " + sum + " and " + found->second + "\n";
    }
    for (const auto& [table, sum] : actual_sums)
        if (!expected_sums.contains(table)) tables += table + " is unexpected, with " + sum + "\n";
    INFO(tables);
    CHECK(tables.empty());
}

void expect_equal_databases(const TestDatabase& expected, const TestDatabase& actual) {
    expect_equal_databases(expected.superuser_conninfo(), actual.superuser_conninfo());
}

} // namespace pgsluice::tests
