#include "catalog/lift.hpp"

namespace pgsluice::catalog {

namespace {

// An array of a multirange of ... : no chain of the server's is longer, and a hostile one must end too.
constexpr int hops_max = 16;

constexpr std::string_view parts_sql = R"(
select 2618::pg_catalog.oid as part_class, r.oid as part, 1259::pg_catalog.oid as whole_class, r.ev_class as whole
  from pg_catalog.pg_rewrite r where r.rulename = '_RETURN' and r.oid >= 16384
union all
select 1259, c.oid, 1247, c.reltype from pg_catalog.pg_class c where c.relkind = 'c' and c.oid >= 16384
union all
select 1247, t.oid, 1259, t.typrelid from pg_catalog.pg_type t join pg_catalog.pg_class c on c.oid = t.typrelid
 where c.relkind <> 'c' and t.oid >= 16384
union all
select 1247, t.typarray, 1247, t.oid from pg_catalog.pg_type t where t.typarray >= 16384
union all
select 2604, a.oid, 1259, a.adrelid from pg_catalog.pg_attrdef a where a.oid >= 16384
union all
select 1259, k.conindid, 2606, k.oid from pg_catalog.pg_constraint k
 where k.contype in ('p', 'u', 'x') and k.conindid >= 16384
union all
select d.classid, d.objid, d.refclassid, d.refobjid from pg_catalog.pg_depend d
 where d.deptype = 'e' and d.refclassid = 3079 and d.objid >= 16384)";

constexpr std::string_view multiranges_sql = " union all select 1247, r.rngmultitypid, 1247, r.rngtypid from "
                                             "pg_catalog.pg_range r where r.rngmultitypid >= 16384";

} // namespace

const model::Object* Lift::object(model::CatalogId id) const {
    for (int hop = 0; hop < hops_max; ++hop) {
        if (const model::Object* found = database_.find(id)) return found;
        const auto at = wholes_.find(id);
        if (at == wholes_.end()) return nullptr;
        id = at->second;
    }
    return nullptr;
}

flow::Task<void> read_lift(Session& session, Lift& lift) {
    std::string sql(parts_sql);
    if (session.server_major >= 14) sql += multiranges_sql;
    const pq::Rows rows = co_await query(session, std::move(sql), "parts of objects");
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        const model::CatalogId part{row.oid("part_class"), row.oid("part")};
        const model::CatalogId whole{row.oid("whole_class"), row.oid("whole")};
        lift.add(part, whole);
    }
}

} // namespace pgsluice::catalog
