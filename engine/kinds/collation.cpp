// Collations of the user's: libc's, ICU's, the server's own. The version of the library is left out, as the
// target computes its own. Those of another encoding than the database's cannot be made by CREATE COLLATION
// (catalog/unsupported.cpp names them).
#include <cctype>

#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/registry.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

struct CollationBody : model::Body {
    char provider = 'c'; // c libc, i ICU, b builtin
    bool deterministic = true;
    std::string collate, ctype; // of libc
    std::string locale;         // of the others
    std::optional<std::string> rules;
};

constexpr auto from =
    "from pg_catalog.pg_collation c join pg_catalog.pg_namespace n on n.oid = c.collnamespace where " +
    of_this_encoding + " and " + user_schema + " and " + no_member("pg_catalog.pg_collation", "c.oid") +
    " order by c.oid";

constexpr Column columns[] = {
    {"oid", "c.oid"},
    {"schema", "n.nspname"},
    {"name", "c.collname"},
    {"owner", "pg_catalog.pg_get_userbyid(c.collowner)"},
    {"provider", "c.collprovider"},
    {"deterministic", "c.collisdeterministic"},
    {"collate", "c.collcollate"},
    {"ctype", "c.collctype"},
    // colliculocale became colllocale in 17; before 15 it was in collcollate.
    {"locale",
     "coalesce(pg_catalog.to_jsonb(c) ->> 'colllocale', pg_catalog.to_jsonb(c) ->> 'colliculocale')", 15,
     "c.collcollate"},
    {"rules", "c.collicurules", 16},
};

void decode(const Row& row, Reading& into) {
    model::Object object = read_header(row, model::Kind::collation, pg_collation_class);
    object.owner = row.text("owner");
    auto body = std::make_shared<CollationBody>();
    body->provider = row.letter("provider");
    body->deterministic = row.boolean("deterministic");
    body->collate = row.text("collate");
    body->ctype = row.text("ctype");
    body->locale = row.text("locale");
    body->rules = row.optional_text("rules");
    object.body = std::move(body);
    into.add(std::move(object));
}

std::string_view provider_name(char provider) {
    switch (provider) {
    case 'i': return "icu";
    case 'b': return "builtin";
    default: return "libc";
    }
}

// ICU's names as 16 keeps them whoever wrote them how: de_DE is de-DE, en-u-kn-true is en-u-kn. The old form
// with @ has another one altogether.
std::string compared_locale(const CollationBody& body) {
    if (body.provider != 'i') return body.locale;
    std::string name = body.locale.substr(0, body.locale.find('@'));
    for (char& c : name) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (std::size_t at = name.find("-true"); at != std::string::npos; at = name.find("-true"))
        name.erase(at, std::string_view("-true").size());
    return body.locale.find('@') == std::string::npos ? name : name.substr(0, name.find('-'));
}

Ddl write(const model::Object& object, const Context& context) {
    const auto& body = body_of<CollationBody>(object);
    const std::string name = qualified_address(object);
    std::string options = "provider = " + std::string(provider_name(body.provider));
    if (!body.deterministic) options += ", deterministic = false";
    const auto add = [&](std::string_view option, const std::string& value) {
        options.append(", ").append(option).append(" = ").append(pq::quote_literal(value));
    };
    if (body.provider != 'c') {
        add("locale", context.compared ? compared_locale(body) : body.locale);
    } else if (body.collate == body.ctype) {
        add("locale", body.collate);
    } else {
        add("lc_collate", body.collate);
        add("lc_ctype", body.ctype);
    }
    if (body.rules) add("rules", *body.rules);
    Ddl ddl;
    ddl.create = "CREATE COLLATION " + name + " (" + options + ");";
    ddl.drop = "DROP COLLATION " + name + ";";
    return ddl;
}

constexpr Query queries[] = {{.columns = columns, .from = from, .decode = decode}};

} // namespace

const Descriptor collation_kind = {.kind = model::Kind::collation,
                                   .tag = "COLLATION",
                                   .class_oid = pg_collation_class,
                                   .has_owner = true,
                                   .queries = queries,
                                   .write = write,
                                   .address = qualified_address};

} // namespace pgsluice::kinds
