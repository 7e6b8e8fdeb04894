// Functions and window functions.
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "kinds/routine.hpp"

namespace pgsluice::kinds {

namespace {

// Constructors and the like that come with a type have an internal dependency on it.
constexpr auto which = "p.prokind in ('f', 'w') and " + user_schema + " and " +
                       no_member("pg_catalog.pg_proc", "p.oid") +
                       " and not exists (select from pg_catalog.pg_depend i where i.classid ="
                       " 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objid = p.oid and i.deptype = 'i')";

constexpr auto from = "from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace"
                      " join pg_catalog.pg_language l on l.oid = p.prolang where " +
                      which + " order by p.oid";

constexpr auto bodies_oids = "select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_namespace n"
                             " on n.oid = p.pronamespace where p.prosqlbody is not null and " +
                             which + " order by p.oid";

constexpr auto bodies_from = sql("from pg_catalog.pg_proc p where p.oid = any ($oids$) order by p.oid");

void decode(const Row& row, Reading& into) { decode_routine(row, model::Kind::function, into); }

const Query queries[] = {{.columns = routine_columns(), .from = from, .decode = decode},
                         {.columns = sql_body_columns(),
                          .from = bodies_from,
                          .decode = decode_sql_body,
                          .oids_query = bodies_oids,
                          .since = 14}};

} // namespace

const Descriptor function_kind = {.kind = model::Kind::function,
                                  .tag = "FUNCTION",
                                  .class_oid = pg_proc_class,
                                  .has_owner = true,
                                  .has_acl = true,
                                  .acl_type = 'f',
                                  .queries = queries,
                                  .write = write_routine,
                                  .address = routine_address};

} // namespace pgsluice::kinds
