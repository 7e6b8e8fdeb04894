// Sequence values come from the sequence relations themselves: pg_sequence_last_value() does not tell a fresh
// sequence from one set by setval(..., false). They are not under MVCC: what is read is the value of now.
#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "catalog/steps.hpp"
#include "kinds/filters.hpp"
#include "pq/quote.hpp"

namespace pgsluice::catalog {

namespace {

std::vector<const model::Object*> sequences_of(const model::Database& database) {
    std::vector<const model::Object*> sequences;
    for (const model::Object& object : database.objects)
        if (object.kind == model::Kind::sequence) sequences.push_back(&object);
    return sequences;
}

Error no_right(const model::Object& sequence, bool may_use_schema, std::string_view role) {
    const std::string to = " TO " + pq::quote_role(role);
    std::string grant;
    if (!may_use_schema) grant = "GRANT USAGE ON SCHEMA " + pq::quote_identifier(sequence.schema) + to + "; ";
    grant += "GRANT SELECT ON SEQUENCE " + pq::quote_qualified(sequence.schema, sequence.name) + to + ";";
    return Error{ErrorKind::source, "no right to read the value of a sequence"}
        .sqlstate("42501")
        .object(model::display_name(sequence))
        .hint("let an administrator or the owner run: " + one_line(grant));
}

// Throws for a sequence whose value we may not read; of the target these are left out: only what the source
// lacks is of interest there, and whoever carries it says that the value is missing.
flow::Task<void> require_rights(Session& session, const model::Database& database,
                                std::vector<const model::Object*>& sequences) {
    std::vector<model::Oid> oids;
    oids.reserve(sequences.size());
    for (const model::Object* sequence : sequences) oids.push_back(kinds::server_oid(sequence->id.oid));
    const std::string sql =
        "select c.oid, pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') as may_use_schema,"
        " current_user as role from pg_catalog.pg_class c where c.oid = any (" +
        oid_array(oids) +
        ") and not (pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')"
        // The planner may ask before it looks at the oids, and a table's would be an error.
        " and case when c.relkind = 'S' then pg_catalog.has_sequence_privilege(c.oid, 'SELECT') else true "
        "end)"
        " order by c.oid";
    co_await begin(session);
    const pq::Rows rows = co_await query(session, sql, "rights on sequences");
    co_await end(session);
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        const model::CatalogId id{kinds::pg_class_class, row.oid("oid")};
        const model::Object* sequence = database.find(id);
        if (sequence == nullptr) continue;
        if (!session.options.is_target)
            throw no_right(*sequence, row.boolean("may_use_schema"), row.text("role"));
        std::erase(sequences, sequence);
    }
}

std::string values_sql(const std::vector<const model::Object*>& sequences, std::size_t first,
                       std::size_t end) {
    std::string sql;
    for (std::size_t i = first; i < end; ++i) {
        const model::Object& sequence = *sequences[i];
        if (!sql.empty()) sql += " union all ";
        sql += "select " + std::to_string(kinds::server_oid(sequence.id.oid)) +
               "::pg_catalog.oid as oid, s.last_value, s.is_called from " +
               pq::quote_qualified(sequence.schema, sequence.name) + " s";
    }
    return sql;
}

} // namespace

flow::Task<void> read_sequence_values(Session& session, model::Database& database) {
    std::vector<const model::Object*> sequences = sequences_of(database);
    co_await require_rights(session, database, sequences);
    const std::size_t batch_max = std::max<std::size_t>(1, session.options.objects_per_batch);
    for (std::size_t at = 0; at < sequences.size(); at += batch_max) {
        const std::size_t last = std::min(sequences.size(), at + batch_max);
        co_await begin(session);
        const pq::Rows rows = co_await query(session, values_sql(sequences, at, last), "values of sequences");
        co_await end(session);
        AnswerRow row(rows, session.options.is_target);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            row.move_to(i);
            model::SequenceValue value;
            value.sequence = model::CatalogId{kinds::pg_class_class, row.oid("oid")};
            value.last_value = row.text("last_value");
            value.is_called = row.boolean("is_called");
            database.sequence_values.push_back(std::move(value));
        }
    }
}

} // namespace pgsluice::catalog
