// Extensions are carried by name: their members come with CREATE EXTENSION, at the version that the target
// has installed ("installed": merge/plan_database.cpp). Rows of their configuration tables are copied like
// others (catalog/).
#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr auto from =
    "from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace where " +
    user_oid("x.oid") + " order by x.oid";

constexpr Column columns[] = {
    {"oid", "x.oid"},
    {"schema", "null"},
    {"name", "x.extname"},
    {"extension_schema", "n.nspname"},
    {"version", "x.extversion"},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::extension, pg_extension_class);
    object.details["schema"] = row.text("extension_schema");
    object.details["version"] = row.text("version");
    into.add(std::move(object));
}

// The target's own, where it has one: what depends on it there was made for that one. Else the newest.
std::string version_to_make(const model::Object& object) {
    const auto at = object.details.find(object.extra ? "version" : "installed");
    return at == object.details.end() ? std::string() : at->second;
}

Ddl write(const model::Object& object, const Context&) {
    Ddl ddl;
    const std::string name = pq::quote_identifier(object.name);
    ddl.create = "CREATE EXTENSION IF NOT EXISTS " + name + " WITH SCHEMA " +
                 pq::quote_identifier(object.details.at("schema"));
    if (const std::string version = version_to_make(object); !version.empty())
        ddl.create += " VERSION " + pq::quote_literal(version);
    ddl.create += ";";
    ddl.drop = "DROP EXTENSION " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor extension_kind = {.kind = model::Kind::extension,
                                   .tag = "EXTENSION",
                                   .class_oid = pg_extension_class,
                                   .queries = queries,
                                   .write = write,
                                   .address = qualified_address};

} // namespace pgsluice::kinds
