#include "kinds/routine.hpp"

#include "base/text.hpp"
#include "kinds/decode.hpp"
#include "kinds/filters.hpp"
#include "kinds/guc.hpp"
#include "pq/quote.hpp"

namespace pgsluice::kinds {

namespace {

constexpr Column columns[] = {
    {"oid", "p.oid"},
    {"schema", "n.nspname"},
    {"name", "p.proname"},
    {"owner", "pg_catalog.pg_get_userbyid(p.proowner)"},
    {"acl", "p.proacl"},
    {"acl_base", "pg_catalog.acldefault('f', p.proowner)"},
    {"input_types", "array(select pg_catalog.format_type(t.oid, null) from pg_catalog.unnest(p.proargtypes)"
                    " with ordinality t(oid, place) order by t.place)"},
    {"prokind", "p.prokind"},
    {"identity", "pg_catalog.pg_get_function_identity_arguments(p.oid)"},
    {"arguments", "pg_catalog.pg_get_function_arguments(p.oid)"},
    {"result", "pg_catalog.pg_get_function_result(p.oid)"},
    {"language", "l.lanname"},
    {"trusted", "l.lanpltrusted"},
    {"source", "p.prosrc"},
    {"binary", "p.probin"},
    {"transforms", "array(select pg_catalog.format_type(t.oid, null) from pg_catalog.unnest(p.protrftypes)"
                   " with ordinality t(oid, place) order by t.place)"},
    {"settings", "p.proconfig"},
    {"volatility", "p.provolatile"},
    {"parallel", "p.proparallel"},
    {"strict", "p.proisstrict"},
    {"security_definer", "p.prosecdef"},
    {"leakproof", "p.proleakproof"},
    {"returns_set", "p.proretset"},
    {"cost", "p.procost"},
    {"rows", "p.prorows"},
    {"support", "case when p.prosupport <> 0 then p.prosupport end"},
};

constexpr Column body_columns[] = {
    {"oid", "p.oid"},
    {"sql_body", "pg_catalog.pg_get_function_sqlbody(p.oid)"},
};

std::string cost_and_rows(const RoutineBody& body) {
    std::string text;
    const bool is_native = body.language == "internal" || body.language == "c";
    if (body.cost != "0" && body.cost != (is_native ? "1" : "100")) text += " COST " + body.cost;
    if (body.returns_set && body.rows != "0" && body.rows != "1000") text += " ROWS " + body.rows;
    return text;
}

std::string attributes(const RoutineBody& body) {
    std::string text;
    if (!body.transforms.empty()) {
        text += " TRANSFORM ";
        for (std::size_t i = 0; i < body.transforms.size(); ++i)
            text += (i > 0 ? ", FOR TYPE " : "FOR TYPE ") + body.transforms[i];
    }
    if (body.prokind == 'w') text += " WINDOW";
    if (body.volatility == 'i') text += " IMMUTABLE";
    if (body.volatility == 's') text += " STABLE";
    if (body.strict) text += " STRICT";
    if (body.security_definer) text += " SECURITY DEFINER";
    if (body.leakproof) text += " LEAKPROOF";
    text += cost_and_rows(body);
    if (!body.support.empty()) text += " SUPPORT " + body.support;
    if (body.parallel == 's') text += " PARALLEL SAFE";
    if (body.parallel == 'r') text += " PARALLEL RESTRICTED";
    for (const std::string& setting : body.settings) text += "\n    SET " + setting_sql(setting);
    return text;
}

std::string code(const RoutineBody& body) {
    if (!body.sql_body.empty()) return body.sql_body;
    if (body.binary.empty()) return "AS " + pq::dollar_quote(body.source);
    std::string text = "AS " + pq::quote_literal(body.binary);
    if (!body.source.empty()) text += ", " + pq::quote_literal(body.source);
    return text;
}

// What of it takes a superuser, in words.
std::string superuser_only(const RoutineBody& body, bool trusted) {
    std::vector<std::string> why;
    if (!trusted) why.push_back("language " + one_line(body.language));
    if (body.leakproof) why.emplace_back("LEAKPROOF");
    if (!body.support.empty()) why.emplace_back("SUPPORT");
    return join(why, ", ");
}

// One to a line: who may set them is the target's to say.
std::string setting_names(const RoutineBody& body) {
    std::vector<std::string> names;
    for (const std::string& setting : body.settings) names.push_back(setting.substr(0, setting.find('=')));
    return join(names, "\n");
}

} // namespace

std::span<const Column> routine_columns() { return columns; }
std::span<const Column> sql_body_columns() { return body_columns; }

void decode_routine(const Row& row, model::Kind kind, Reading& into) {
    model::Object object = read_header(row, kind, pg_proc_class);
    read_rights(row, object);
    object.arguments = join(row.texts("input_types"), ", ");
    auto body = std::make_shared<RoutineBody>();
    body->prokind = row.letter("prokind");
    body->identity = row.text("identity");
    body->arguments = row.text("arguments");
    body->result = row.optional_text("result");
    body->language = row.text("language");
    body->source = row.text("source");
    body->binary = row.text("binary");
    body->transforms = row.texts("transforms");
    body->settings = row.texts("settings");
    body->volatility = row.letter("volatility");
    body->parallel = row.letter("parallel");
    body->strict = row.boolean("strict");
    body->security_definer = row.boolean("security_definer");
    body->leakproof = row.boolean("leakproof");
    body->returns_set = row.boolean("returns_set");
    body->cost = row.text("cost");
    body->rows = row.text("rows");
    body->support = row.text("support");
    if (const std::string why = superuser_only(*body, row.boolean("trusted")); !why.empty())
        object.details["superuser"] = why;
    if (const std::string names = setting_names(*body); !names.empty()) object.details["settings"] = names;
    object.body = std::move(body);
    into.add(std::move(object));
}

void decode_sql_body(const Row& row, Reading& into) {
    model::Object* object = into.find(model::CatalogId{pg_proc_class, row.oid("oid")});
    if (object != nullptr) body_being_read<RoutineBody>(*object).sql_body = row.text("sql_body");
}

Ddl write_routine(const model::Object& object, const Context&) {
    const auto& body = body_of<RoutineBody>(object);
    const std::string noun = body.prokind == 'p' ? "PROCEDURE " : "FUNCTION ";
    Ddl ddl;
    ddl.create = "CREATE " + noun + qualified_address(object) + "(" + body.arguments + ")";
    if (body.prokind != 'p' && body.result) ddl.create += " RETURNS " + *body.result;
    ddl.create += "\n    LANGUAGE " + pq::quote_identifier(body.language) + attributes(body);
    ddl.create += "\n    " + code(body) + ";";
    ddl.drop = "DROP " + noun + routine_address(object) + ";";
    return ddl;
}

std::string routine_address(const model::Object& object) {
    return qualified_address(object) + "(" + body_of<RoutineBody>(object).identity + ")";
}

} // namespace pgsluice::kinds
