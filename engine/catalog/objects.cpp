#include <algorithm>

#include "base/error.hpp"
#include "catalog/steps.hpp"

namespace pgsluice::catalog {

namespace {

constexpr std::string_view oids_mark = "$oids$";

void decode_all(const Session& session, const pq::Rows& rows, const kinds::Query& query,
                kinds::Reading& into) {
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        query.decode(row, into);
    }
}

flow::Task<std::vector<model::Oid>> read_oids(Session& session, const kinds::Query& kind_query,
                                              std::string doing) {
    co_await begin(session);
    const pq::Rows rows = co_await query(session, std::string(kind_query.oids_query), std::move(doing));
    co_await end(session);
    AnswerRow row(rows);
    std::vector<model::Oid> oids;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        oids.push_back(row.oid(rows.column_name(0)));
    }
    co_return oids;
}

flow::Task<void> read_in_batches(Session& session, const kinds::Query& kind_query, std::string doing,
                                 kinds::Reading& into) {
    const std::vector<model::Oid> oids = co_await read_oids(session, kind_query, doing);
    const std::string text = select_text(kind_query, session.server_major);
    const std::size_t batch_max = std::max<std::size_t>(1, session.options.objects_per_batch);
    for (std::size_t at = 0; at < oids.size(); at += batch_max) {
        const auto first = oids.begin() + static_cast<std::ptrdiff_t>(at);
        const std::size_t count = std::min(batch_max, oids.size() - at);
        const std::string batch = oid_array({first, first + static_cast<std::ptrdiff_t>(count)});
        std::string sql = text;
        for (std::size_t mark = sql.find(oids_mark); mark != std::string::npos;
             mark = sql.find(oids_mark, mark + 1))
            sql.replace(mark, oids_mark.size(), batch);
        co_await begin(session);
        const pq::Rows rows = co_await query(session, std::move(sql), doing);
        co_await end(session);
        decode_all(session, rows, kind_query, into);
    }
}

flow::Task<void> read_whole(Session& session, const kinds::Query& kind_query, std::string doing,
                            kinds::Reading& into) {
    co_await begin(session);
    const pq::Rows rows =
        co_await query(session, select_text(kind_query, session.server_major), std::move(doing));
    co_await end(session);
    decode_all(session, rows, kind_query, into);
}

} // namespace

flow::Task<void> read_objects(Session& session, model::Database& database) {
    kinds::Reading reading(database);
    for (const kinds::Descriptor* kind : kinds::all()) {
        for (const kinds::Query& kind_query : kind->queries) {
            if (kind_query.since > session.server_major) continue;
            const std::string doing = "objects of kind " + std::string(model::kind_name(kind->kind));
            if (kind_query.oids_query.empty())
                co_await read_whole(session, kind_query, doing, reading);
            else
                co_await read_in_batches(session, kind_query, doing, reading);
        }
    }
}

} // namespace pgsluice::catalog
