// Range types, with their multirange type. One with a canonical function of its own needs a shell type first,
// which nothing here makes: catalog/ lists it as unsupported.
#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct RangeBody : model::Body {
    std::string subtype;
    std::string multirange;                            // qualified and quoted by the server; empty before 14
    std::string operator_class_schema, operator_class; // empty: the subtype's default
    std::string collation_schema, collation;           // empty: the subtype's own
    std::string canonical, difference;                 // qualified and quoted by the server; empty: none
};

constexpr auto from =
    "from pg_catalog.pg_range r join pg_catalog.pg_type t on t.oid = r.rngtypid"
    " join pg_catalog.pg_namespace n on n.oid = t.typnamespace"
    " join pg_catalog.pg_type s on s.oid = r.rngsubtype"
    " left join pg_catalog.pg_opclass o on o.oid = r.rngsubopc and not o.opcdefault"
    " left join pg_catalog.pg_namespace opn on opn.oid = o.opcnamespace"
    " left join pg_catalog.pg_collation l on l.oid = r.rngcollation and r.rngcollation <> s.typcollation"
    " left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace where " +
    user_schema + " and " + no_member("pg_catalog.pg_type", "t.oid") + " order by t.oid";

constexpr Column columns[] = {
    {"oid", "t.oid"},
    {"schema", "n.nspname"},
    {"name", "t.typname"},
    {"owner", "pg_catalog.pg_get_userbyid(t.typowner)"},
    {"acl", "t.typacl"},
    {"acl_base", "pg_catalog.acldefault('T', t.typowner)"},
    {"subtype", "pg_catalog.format_type(r.rngsubtype, null)"},
    {"multirange", "pg_catalog.format_type(r.rngmultitypid, null)", 14},
    {"multirange_name", "(select m.typname from pg_catalog.pg_type m where m.oid = r.rngmultitypid)", 14},
    {"multirange_schema",
     "(select mn.nspname from pg_catalog.pg_type m join pg_catalog.pg_namespace mn on mn.oid = m.typnamespace"
     " where m.oid = r.rngmultitypid)",
     14},
    {"operator_class_schema", "opn.nspname"},
    {"operator_class", "o.opcname"},
    {"collation_schema", "ln.nspname"},
    {"collation", "l.collname"},
    {"canonical", "case when r.rngcanonical <> 0 then r.rngcanonical end"},
    {"difference", "case when r.rngsubdiff <> 0 then r.rngsubdiff end"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::range_type, pg_type_class);
    read_rights(row, object);
    auto body = std::make_shared<RangeBody>();
    body->subtype = row.text("subtype");
    body->multirange = row.text("multirange");
    if (!body->multirange.empty()) { // a name that nothing else may have
        object.details["multirange"] = row.text("multirange_name");
        object.details["multirange_schema"] = row.text("multirange_schema");
    }
    body->operator_class_schema = row.text("operator_class_schema");
    body->operator_class = row.text("operator_class");
    body->collation_schema = row.text("collation_schema");
    body->collation = row.text("collation");
    body->canonical = row.text("canonical");
    body->difference = row.text("difference");
    object.body = std::move(body);
    into.add(std::move(object));
}

Ddl write(const model::Object& object, const Context&) {
    const auto& body = body_of<RangeBody>(object);
    Ddl ddl;
    const std::string name = qualified_address(object);
    ddl.create = "CREATE TYPE " + name + " AS RANGE (\n    subtype = " + body.subtype;
    const auto add = [&](std::string_view parameter, const std::string& value) {
        if (!value.empty()) ddl.create.append(",\n    ").append(parameter).append(" = ").append(value);
    };
    add("multirange_type_name", body.multirange);
    if (!body.operator_class.empty())
        add("subtype_opclass", pq::quote_qualified(body.operator_class_schema, body.operator_class));
    if (!body.collation.empty()) add("collation", pq::quote_qualified(body.collation_schema, body.collation));
    add("canonical", body.canonical);
    add("subtype_diff", body.difference);
    ddl.create += "\n);";
    ddl.drop = "DROP TYPE " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor range_type_kind = {.kind = model::Kind::range_type,
                                    .tag = "TYPE",
                                    .class_oid = pg_type_class,
                                    .has_owner = true,
                                    .has_acl = true,
                                    .acl_type = 'T',
                                    .queries = queries,
                                    .write = write,
                                    .address = qualified_address};

} // namespace pgsluice::kinds
