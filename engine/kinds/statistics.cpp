// Extended statistics: CREATE STATISTICS. Its data is ANALYZE's business.
#include "kinds/registry.hpp"
#include "kinds/relation.hpp"

namespace pgsluice::kinds {

namespace {

struct StatisticsBody : model::Body {
    std::string definition;
    std::optional<std::int64_t> target;
};

constexpr auto from =
    "from pg_catalog.pg_statistic_ext s join pg_catalog.pg_namespace n on n.oid = s.stxnamespace"
    " join pg_catalog.pg_class c on c.oid = s.stxrelid where c.relkind in ('r', 'p', 'm') and " +
    user_schema + " and " + no_member("pg_catalog.pg_statistic_ext", "s.oid") + " and " +
    no_member("pg_catalog.pg_class", "c.oid") + " order by s.oid";

constexpr Column columns[] = {
    {"oid", "s.oid"},
    {"schema", "n.nspname"},
    {"name", "s.stxname"},
    {"owner", "pg_catalog.pg_get_userbyid(s.stxowner)"},
    {"relation", "s.stxrelid"},
    {"definition", "pg_catalog.pg_get_statisticsobjdef(s.oid)"},
    {"target", "nullif(s.stxstattarget, -1)"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::statistics, pg_statistic_ext_class);
    object.owner = row.text("owner");
    object.relation = {pg_class_class, row.oid("relation")};
    auto body = std::make_shared<StatisticsBody>();
    body->definition = row.text("definition");
    if (row.get("target")) body->target = row.number("target");
    object.body = std::move(body);
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<StatisticsBody>(object);
    const std::string name = qualified_address(object);
    Ddl ddl;
    ddl.create = body.definition + ";";
    if (body.target)
        ddl.create += "\nALTER STATISTICS " + name + " SET STATISTICS " + std::to_string(*body.target) + ";";
    ddl.drop = "DROP STATISTICS " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor statistics_kind = {.kind = model::Kind::statistics,
                                    .tag = "STATISTICS",
                                    .class_oid = pg_statistic_ext_class,
                                    .has_owner = true,
                                    .queries = queries,
                                    .write = write,
                                    .address = qualified_address};

} // namespace pgsluice::kinds
