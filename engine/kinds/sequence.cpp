// Sequences: free ones, those that a serial column owns, and those of identity columns.
#include "kinds/sequence.hpp"

#include <algorithm>

#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct SequenceBody : model::Body {
    std::string type; // smallint, integer, bigint
    std::string start, increment, minimum, maximum, cache;
    bool cycles = false, unlogged = false;
    char identity = '\0'; // a always, d by default; else not an identity's
    std::string owner_schema, owner_table, owner_column;
    bool is_owned() const { return !owner_column.empty(); }
    bool is_identity() const { return identity == 'a' || identity == 'd'; }
};

constexpr auto from =
    "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " join pg_catalog.pg_sequence s on s.seqrelid = c.oid"
    " left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid "
    "= c.oid"
    " and d.objsubid = 0 and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjsubid > 0"
    " and d.deptype in ('a', 'i')"
    " left join pg_catalog.pg_class t on t.oid = d.refobjid"
    " left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace"
    " left join pg_catalog.pg_attribute k on k.attrelid = d.refobjid and k.attnum = d.refobjsubid"
    " where c.relkind = 'S' and " +
    user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") + " order by c.oid";

constexpr Column columns[] = {
    {"oid", "c.oid"},
    {"schema", "n.nspname"},
    {"name", "c.relname"},
    {"owner", "pg_catalog.pg_get_userbyid(c.relowner)"},
    {"acl", "c.relacl"},
    {"acl_base", "pg_catalog.acldefault('s', c.relowner)"},
    {"type", "pg_catalog.format_type(s.seqtypid, null)"},
    {"start", "s.seqstart"},
    {"increment", "s.seqincrement"},
    {"minimum", "s.seqmin"},
    {"maximum", "s.seqmax"},
    {"cache", "s.seqcache"},
    {"cycles", "s.seqcycle"},
    {"unlogged", "c.relpersistence = 'u'"},
    {"identity", "case when d.deptype = 'i' then k.attidentity end"},
    {"owner_oid", "t.oid"},
    {"owner_schema", "tn.nspname"},
    {"owner_table", "t.relname"},
    {"owner_column", "k.attname"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::sequence, pg_class_class);
    read_rights(row, object);
    auto body = std::make_shared<SequenceBody>();
    body->type = row.text("type");
    body->start = row.text("start");
    body->increment = row.text("increment");
    body->minimum = row.text("minimum");
    body->maximum = row.text("maximum");
    body->cache = row.text("cache");
    body->cycles = row.boolean("cycles");
    body->unlogged = row.boolean("unlogged");
    body->identity = row.letter("identity");
    body->owner_schema = row.text("owner_schema");
    body->owner_table = row.text("owner_table");
    body->owner_column = row.text("owner_column");
    object.relation = object.id;
    if (body->is_identity()) object.relation = model::CatalogId{pg_class_class, row.oid("owner_oid")};
    if (body->is_owned()) object.details["owned_by"] = body->is_identity() ? "identity" : "serial";
    object.body = std::move(body);
    into.add(std::move(object));
}

struct Bounds {
    std::string_view minimum, maximum;
};

Bounds default_bounds(const SequenceBody& body) {
    const bool ascends = !body.increment.starts_with('-');
    if (body.type == "smallint") return ascends ? Bounds{"1", "32767"} : Bounds{"-32768", "-1"};
    if (body.type == "integer") return ascends ? Bounds{"1", "2147483647"} : Bounds{"-2147483648", "-1"};
    return ascends ? Bounds{"1", "9223372036854775807"} : Bounds{"-9223372036854775808", "-1"};
}

std::string options(const SequenceBody& body) {
    const Bounds bounds = default_bounds(body);
    std::string text = "\n    START WITH " + body.start + "\n    INCREMENT BY " + body.increment;
    text += body.minimum == bounds.minimum ? "\n    NO MINVALUE" : "\n    MINVALUE " + body.minimum;
    text += body.maximum == bounds.maximum ? "\n    NO MAXVALUE" : "\n    MAXVALUE " + body.maximum;
    text += "\n    CACHE " + body.cache;
    if (body.cycles) text += "\n    CYCLE";
    return text;
}

std::string identity_of(const model::Object& object) {
    const auto& body = body_of<SequenceBody>(object);
    return std::string("GENERATED ") + (body.identity == 'a' ? "ALWAYS" : "BY DEFAULT") +
           " AS IDENTITY (\n    SEQUENCE NAME " + qualified_address(object) + options(body) + "\n)";
}

// Its column is one that only the target has: it comes with the column.
bool comes_with_column(const SequenceBody& body, const Context& context) {
    if (context.whole) return false;
    const model::Object* table =
        context.database.find({model::Kind::table, body.owner_schema, "", body.owner_table, ""});
    return table != nullptr && std::find(table->extra_elements.begin(), table->extra_elements.end(),
                                         body.owner_column) != table->extra_elements.end();
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<SequenceBody>(object);
    const std::string name = qualified_address(object);
    const std::string owner = pq::quote_qualified(body.owner_schema, body.owner_table);
    const std::string column = pq::quote_identifier(body.owner_column);
    Ddl ddl;
    if (body.is_identity()) {
        if (!comes_with_column(body, context))
            ddl.create =
                "ALTER TABLE " + owner + " ALTER COLUMN " + column + " ADD " + identity_of(object) + ";";
        return ddl; // goes with its column: nothing to drop
    }
    ddl.create = std::string("CREATE ") + (body.unlogged ? "UNLOGGED " : "") + "SEQUENCE " + name;
    if (body.type != "bigint") ddl.create += "\n    AS " + body.type;
    ddl.create += options(body) + ";";
    ddl.drop = "DROP SEQUENCE " + name + ";";
    if (body.is_owned()) ddl.owned_by = "ALTER SEQUENCE " + name + " OWNED BY " + owner + "." + column + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

std::string identity_clause(const model::Object& table, const std::string& column,
                            const model::Database& database) {
    // An identity's sequence lives in its table's schema.
    for (const model::Object& object : objects_of(database, model::Kind::sequence, table.schema, "")) {
        const auto& body = body_of<SequenceBody>(object);
        if (body.is_identity() && body.owner_column == column && body.owner_table == table.name &&
            body.owner_schema == table.schema)
            return " " + identity_of(object);
    }
    return {};
}

const Descriptor sequence_kind = {.kind = model::Kind::sequence,
                                  .tag = "SEQUENCE",
                                  .class_oid = pg_class_class,
                                  .has_owner = true,
                                  .has_acl = true,
                                  .acl_type = 's',
                                  .queries = queries,
                                  .write = write,
                                  .address = qualified_address};

} // namespace pgsluice::kinds
