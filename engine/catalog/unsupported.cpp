// What no kind can carry, by name. Never a reason to read less: an object that is neither in
// Database::objects nor here would be lost without a word.
#include "catalog/steps.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::catalog {

namespace {

using kinds::no_member;
using kinds::sql;
using kinds::user_oid;
using kinds::user_schema;

// One branch of the union: what it is called, its name, and where it is found.
template <std::size_t N, std::size_t M, std::size_t K>
constexpr auto in_schema(const char (&kind)[N], const char (&name)[M], const char (&from)[K]) {
    return "select '" + sql(kind) + "' as kind, n.nspname || '.' || " + name +
           " as name, false as wire from " + from + " and " + user_schema;
}

template <std::size_t N, std::size_t M, std::size_t K>
constexpr auto without_schema(const char (&kind)[N], const char (&name)[M], const char (&from)[K]) {
    return "select '" + sql(kind) + "' as kind, (" + name +
           ")::pg_catalog.text as name, false as wire from " + from;
}

template <std::size_t N, std::size_t M, std::size_t K>
constexpr auto wire(const char (&kind)[N], const char (&name)[M], const char (&from)[K]) {
    return "select '" + sql(kind) + "' as kind, (" + name + ")::pg_catalog.text as name, true as wire from " +
           from;
}

constexpr auto both = sql(" union all ");

constexpr auto type_sql =
    in_schema(
        "base type", "t.typname",
        "pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where (t.typtype = 'b'"
        " or not t.typisdefined) and not exists (select from pg_catalog.pg_type e where e.typarray = "
        "t.oid)") +
    " and " + no_member("pg_catalog.pg_type", "t.oid") + both +
    in_schema("range type with a canonical function", "t.typname",
              "pg_catalog.pg_range r join pg_catalog.pg_type t on t.oid = r.rngtypid"
              " join pg_catalog.pg_namespace n on n.oid = t.typnamespace where r.rngcanonical >= 16384") +
    " and " + no_member("pg_catalog.pg_type", "t.oid") + both +
    in_schema(
        "collation of another encoding", "c.collname",
        "pg_catalog.pg_collation c join pg_catalog.pg_namespace n on n.oid = c.collnamespace where true") +
    " and not (" + kinds::of_this_encoding + ") and " + no_member("pg_catalog.pg_collation", "c.oid") + both +
    without_schema(
        "cast",
        "pg_catalog.format_type(c.castsource, null) || ' as ' || pg_catalog.format_type(c.casttarget, null)",
        "pg_catalog.pg_cast c where not exists (select from pg_catalog.pg_depend i"
        " where i.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass and i.objid = c.oid"
        " and i.deptype = 'i')") +
    " and " + user_oid("c.oid") + " and " + no_member("pg_catalog.pg_cast", "c.oid") + both +
    without_schema(
        "transform", "'for ' || pg_catalog.format_type(t.trftype, null) || ' language ' || l.lanname",
        "pg_catalog.pg_transform t join pg_catalog.pg_language l on l.oid = t.trflang where true") +
    " and " + no_member("pg_catalog.pg_transform", "t.oid");

constexpr auto operator_sql =
    in_schema(
        "operator",
        "o.oprname || ' (' || pg_catalog.format_type(o.oprleft, null) || ', '"
        " || pg_catalog.format_type(o.oprright, null) || ')'",
        "pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where true") +
    " and " + no_member("pg_catalog.pg_operator", "o.oid") + both +
    in_schema("operator class", "o.opcname || ' using ' || m.amname",
              "pg_catalog.pg_opclass o join pg_catalog.pg_namespace n on n.oid = o.opcnamespace"
              " join pg_catalog.pg_am m on m.oid = o.opcmethod where true") +
    " and " + no_member("pg_catalog.pg_opclass", "o.oid") + both +
    in_schema("operator family", "o.opfname || ' using ' || m.amname",
              "pg_catalog.pg_opfamily o join pg_catalog.pg_namespace n on n.oid = o.opfnamespace"
              " join pg_catalog.pg_am m on m.oid = o.opfmethod where true") +
    " and " + no_member("pg_catalog.pg_opfamily", "o.oid") + both +
    in_schema(
        "conversion", "c.conname",
        "pg_catalog.pg_conversion c join pg_catalog.pg_namespace n on n.oid = c.connamespace where true") +
    " and " + no_member("pg_catalog.pg_conversion", "c.oid") + both +
    without_schema("access method", "m.amname", "pg_catalog.pg_am m where true") + " and " +
    user_oid("m.oid") + " and " + no_member("pg_catalog.pg_am", "m.oid") + both +
    without_schema("procedural language", "l.lanname", "pg_catalog.pg_language l where l.lanispl") + " and " +
    user_oid("l.oid") + " and " + no_member("pg_catalog.pg_language", "l.oid");

constexpr auto text_search_sql =
    in_schema(
        "text search parser", "p.prsname",
        "pg_catalog.pg_ts_parser p join pg_catalog.pg_namespace n on n.oid = p.prsnamespace where true") +
    " and " + no_member("pg_catalog.pg_ts_parser", "p.oid") + both +
    in_schema(
        "text search dictionary", "d.dictname",
        "pg_catalog.pg_ts_dict d join pg_catalog.pg_namespace n on n.oid = d.dictnamespace where true") +
    " and " + no_member("pg_catalog.pg_ts_dict", "d.oid") + both +
    in_schema(
        "text search template", "t.tmplname",
        "pg_catalog.pg_ts_template t join pg_catalog.pg_namespace n on n.oid = t.tmplnamespace where true") +
    " and " + no_member("pg_catalog.pg_ts_template", "t.oid") + both +
    in_schema(
        "text search configuration", "c.cfgname",
        "pg_catalog.pg_ts_config c join pg_catalog.pg_namespace n on n.oid = c.cfgnamespace where true") +
    " and " + no_member("pg_catalog.pg_ts_config", "c.oid");

constexpr auto foreign_sql =
    in_schema("foreign table", "c.relname",
              "pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where "
              "c.relkind = 'f'") +
    " and " + no_member("pg_catalog.pg_class", "c.oid") + both +
    without_schema("foreign-data wrapper", "w.fdwname", "pg_catalog.pg_foreign_data_wrapper w where true") +
    " and " + no_member("pg_catalog.pg_foreign_data_wrapper", "w.oid") + both +
    without_schema("foreign server", "s.srvname", "pg_catalog.pg_foreign_server s where true") + " and " +
    no_member("pg_catalog.pg_foreign_server", "s.oid") + both +
    wire("user mapping", "coalesce(m.usename, 'public') || ' on ' || m.srvname",
         "pg_catalog.pg_user_mappings m") +
    both + wire("event trigger", "v.evtname", "pg_catalog.pg_event_trigger v where true") + " and " +
    no_member("pg_catalog.pg_event_trigger", "v.oid") + both +
    without_schema("publication", "p.pubname", "pg_catalog.pg_publication p where true") + both +
    wire("subscription", "s.subname",
         "pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid"
         " where d.datname = pg_catalog.current_database()");

constexpr auto other_sql =
    without_schema("large object", "pg_catalog.count(*) || ' of them'",
                   "pg_catalog.pg_largeobject_metadata l having pg_catalog.count(*) > 0") +
    both +
    without_schema(
        "security label", "l.objtype || ' ' || l.objname || ' for ' || l.provider",
        "pg_catalog.pg_seclabels l where l.objoid >= 16384 and l.objtype not in ('role', 'database',"
        " 'tablespace', 'subscription')") +
    both +
    // The members themselves come with their extension; what somebody granted on them since does not. Neither
    // row nor object hangs on it, so it is treated like a wire: left out and reported, never a stop.
    wire("changed grants of an extension member", "pg_catalog.pg_describe_object(m.classid, m.objid, 0)",
         "(select 1259::pg_catalog.oid as classid, c.oid as objid, c.relacl as acl, pg_catalog.acldefault("
         "case c.relkind when 'S' then 's'::\"char\" else 'r' end, c.relowner) as base from"
         " pg_catalog.pg_class c union all"
         " select 1255, p.oid, p.proacl, pg_catalog.acldefault('f', p.proowner) from pg_catalog.pg_proc p"
         " union all"
         " select 1247, t.oid, t.typacl, pg_catalog.acldefault('T', t.typowner) from pg_catalog.pg_type t"
         " union all"
         " select 2615, n.oid, n.nspacl, pg_catalog.acldefault('n', n.nspowner) from"
         " pg_catalog.pg_namespace n) m"
         " join pg_catalog.pg_depend e on e.classid = m.classid and e.objid = m.objid and e.deptype = 'e'"
         " and e.refclassid = 3079 and e.objid >= 16384"
         " left join pg_catalog.pg_init_privs i on i.classoid = m.classid and i.objoid = m.objid"
         " and i.objsubid = 0 where not (coalesce(m.acl, m.base) @> coalesce(i.initprivs, m.base)"
         " and coalesce(m.acl, m.base) <@ coalesce(i.initprivs, m.base))") +
    both +
    wire("invalid index", "n.nspname || '.' || c.relname",
         "pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join"
         " pg_catalog.pg_namespace n on n.oid = c.relnamespace where not i.indisvalid and c.relkind = 'i'") +
    " and " + user_schema + both +
    without_schema(
        "configuration sequence of an extension", "f.oid::pg_catalog.regclass",
        "pg_catalog.pg_extension x cross join lateral pg_catalog.unnest(x.extconfig) f(oid)"
        " join pg_catalog.pg_class c on c.oid = f.oid where c.relkind = 'S' and x.extname <> 'pg_cron'") +
    both +
    // Prod's jobs would run on the copy, too.
    wire("scheduled jobs of extension", "x.extname",
         "pg_catalog.pg_extension x where x.extname = 'pg_cron' and x.extconfig is not null");

} // namespace

flow::Task<void> read_unsupported(Session& session, model::Database& database) {
    for (const std::string_view branch :
         {std::string_view(type_sql), std::string_view(operator_sql), std::string_view(text_search_sql),
          std::string_view(foreign_sql), std::string_view(other_sql)}) {
        std::string text = std::string(branch) + " order by 1, 2";
        const pq::Rows rows = co_await query(session, std::move(text), "objects that no kind can carry");
        AnswerRow row(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            row.move_to(i);
            model::Unsupported unsupported;
            unsupported.kind = row.text("kind");
            unsupported.name = row.text("name");
            unsupported.wire = row.boolean("wire");
            database.unsupported.push_back(std::move(unsupported));
        }
    }
}

} // namespace pgsluice::catalog
