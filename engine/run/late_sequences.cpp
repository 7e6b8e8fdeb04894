#include "run/late_sequences.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

constexpr std::size_t sequences_per_query = 1000;

// Those that are there: others are pending.
Task<std::vector<merge::TableName>> existing(pq::Connection& inside,
                                             const std::vector<merge::TableName>& sequences) {
    const std::string sql = "select n.nspname as schema, c.relname as name from pg_catalog.pg_class c join "
                            "pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S'";
    const pq::Rows rows = co_await inside.rows(sql);
    std::set<merge::TableName> there;
    for (std::size_t i = 0; i < rows.size(); ++i)
        there.insert({std::string(rows.at(i, "schema")), std::string(rows.at(i, "name"))});
    std::vector<merge::TableName> found;
    for (const merge::TableName& sequence : sequences)
        if (there.contains(sequence)) found.push_back(sequence);
    co_return found;
}

// The columns of the users that take their numbers there: ('"s"."t"', '"c"').
Task<std::vector<std::pair<std::string, std::string>>> columns_of(pq::Connection& session,
                                                                  SharedSequence sequence) {
    std::string users;
    for (const merge::TableName& user : sequence.users)
        users += fmt::format("{}({}, {})", users.empty() ? "" : ", ", pq::quote_literal(user.schema),
                             pq::quote_literal(user.name));
    const std::string sql =
        "select distinct n.nspname as schema, c.relname as name, a.attname as column from "
        "pg_catalog.pg_depend d join pg_catalog.pg_attrdef f on f.oid = d.objid join pg_catalog.pg_class c "
        "on c.oid = f.adrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace join "
        "pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = f.adnum where a.atttypid in (20, 21, "
        "23) and d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.refclassid = "
        "'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = " +
        pq::quote_literal(pq::quote_qualified(sequence.name.schema, sequence.name.name)) +
        "::pg_catalog.regclass and (n.nspname::pg_catalog.text, c.relname::pg_catalog.text) in (" + users +
        ")";
    const pq::Rows rows = co_await session.rows(sql);
    std::vector<std::pair<std::string, std::string>> columns;
    for (std::size_t i = 0; i < rows.size(); ++i)
        columns.emplace_back(pq::quote_qualified(rows.at(i, "schema"), rows.at(i, "name")),
                             pq::quote_identifier(rows.at(i, "column")));
    co_return columns;
}

} // namespace

Task<void> set_sequences(pq::Connection& target, pq::Connection& inside, std::vector<merge::TableName> all) {
    const std::vector<merge::TableName> sequences = co_await existing(inside, all);
    for (std::size_t first = 0; first < sequences.size(); first += sequences_per_query) {
        const std::size_t last = std::min(sequences.size(), first + sequences_per_query);
        std::string read;
        for (std::size_t i = first; i < last; ++i)
            read += fmt::format("{}select {} as number, s.last_value, s.is_called from {} s",
                                read.empty() ? "" : " union all ", i,
                                pq::quote_qualified(sequences[i].schema, sequences[i].name));
        read += " order by number";
        const pq::Rows rows = co_await target.rows(read);
        std::string set;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const merge::TableName& sequence = sequences[first + i];
            const std::string name = pq::quote_literal(pq::quote_qualified(sequence.schema, sequence.name));
            set += fmt::format("{}pg_catalog.setval({}::pg_catalog.regclass, {}, {})",
                               set.empty() ? "select " : ", ", name,
                               pq::quote_literal(rows.at(i, "last_value")) + "::pg_catalog.int8",
                               rows.at(i, "is_called") == "t" ? "true" : "false");
        }
        co_await inside.command(set);
    }
}

// Past both, in the sequence's own direction; within its limits.
Task<void> advance_sequences(pq::Connection& target, pq::Connection& inside,
                             std::vector<SharedSequence> all) {
    for (const SharedSequence& sequence : all) {
        const std::vector<merge::TableName> one{sequence.name};
        const std::vector<merge::TableName> there = co_await existing(inside, one);
        const std::string name = pq::quote_qualified(sequence.name.schema, sequence.name.name);
        const std::string literal = pq::quote_literal(name) + "::pg_catalog.regclass";
        const std::string read = "select case when pg_catalog.has_sequence_privilege(" + literal +
                                 ", 'SELECT, USAGE') then pg_catalog.pg_sequence_last_value(" + literal +
                                 ") end::pg_catalog.text";
        if (there.empty()) continue;
        const std::string value = co_await target.value(read);
        const auto columns = co_await columns_of(inside, sequence);
        std::string upwards = "pg_catalog.pg_sequence_last_value(" + literal + ")";
        if (!value.empty()) upwards += ", " + value;
        std::string downwards = upwards;
        for (const auto& [table, column] : columns) {
            upwards += fmt::format(", (select pg_catalog.max({}) from {})", column, table);
            downwards += fmt::format(", (select pg_catalog.min({}) from {})", column, table);
        }
        const std::string set = fmt::format(
            "select pg_catalog.setval({0}, greatest(q.seqmin, least(q.seqmax, m.value))) from "
            "pg_catalog.pg_sequence q, lateral (select case when q.seqincrement > 0 then greatest({1}) else "
            "least({2}) end as value) m where q.seqrelid = {0} and m.value is not null",
            literal, upwards, downwards);
        co_await inside.rows(set);
    }
}

} // namespace pgsluice::run
