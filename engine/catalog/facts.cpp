#include "base/error.hpp"
#include "catalog/steps.hpp"

namespace pgsluice::catalog {

namespace {

constexpr kinds::Column database_columns[] = {
    {"name", "d.datname"},
    {"owner", "pg_catalog.pg_get_userbyid(d.datdba)"},
    {"encoding", "pg_catalog.pg_encoding_to_char(d.encoding)"},
    {"collate", "d.datcollate"},
    {"ctype", "d.datctype"},
    {"locale_provider", "d.datlocprovider", 15, "'c'"},
    {"icu_locale", "pg_catalog.to_jsonb(d) ->> 'datlocale'", 17, "pg_catalog.to_jsonb(d) ->> 'daticulocale'"},
    {"icu_rules", "d.daticurules", 16},
    {"comment", "pg_catalog.shobj_description(d.oid, 'pg_database')"},
    {"acl", "d.datacl"},
    {"acl_base", "pg_catalog.acldefault('d', d.datdba)"},
    {"tablespace", "s.spcname"},
    {"connection_limit", "d.datconnlimit"},
    {"bytes", "pg_catalog.pg_database_size(d.oid)"},
    {"may_read_identifier", "pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute')"},
};

constexpr std::string_view database_from =
    "from pg_catalog.pg_database d join pg_catalog.pg_tablespace s on s.oid = d.dattablespace"
    " where d.datname = pg_catalog.current_database()";

constexpr std::string_view settings_sql =
    "select case when s.setrole <> 0 then pg_catalog.pg_get_userbyid(s.setrole) end as role, c.setting"
    " from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase"
    " cross join lateral pg_catalog.unnest(s.setconfig) with ordinality c(setting, place)"
    " where d.datname = pg_catalog.current_database() order by 1 nulls first, c.place";

model::Acl database_acl(const kinds::Row& row) {
    model::Acl acl;
    acl.base = kinds::parse_acl(row.text("acl_base"));
    const auto current = row.get("acl");
    acl.current = current ? kinds::parse_acl(*current) : acl.base;
    return acl;
}

void decode_properties(const kinds::Row& row, model::DatabaseProperties& properties) {
    properties.name = row.text("name");
    properties.owner = row.text("owner");
    properties.encoding = row.text("encoding");
    properties.collate = row.text("collate");
    properties.ctype = row.text("ctype");
    properties.locale_provider = row.letter("locale_provider");
    properties.icu_locale = row.text("icu_locale");
    properties.icu_rules = row.text("icu_rules");
    properties.comment = row.optional_text("comment");
    properties.acl = database_acl(row);
    properties.tablespace = row.text("tablespace");
    properties.connection_limit = static_cast<int>(row.number("connection_limit"));
    properties.bytes = static_cast<std::uint64_t>(row.number("bytes"));
}

flow::Task<void> read_settings(Session& session, model::DatabaseProperties& properties) {
    const pq::Rows rows = co_await query(session, std::string(settings_sql), "database settings");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string_view stored = rows.at(i, "setting");
        const std::size_t equals = stored.find('=');
        if (equals == std::string_view::npos)
            throw Error{ErrorKind::source, "the server sent a setting without a name"};
        model::DatabaseProperties::Setting setting;
        setting.role = rows.at(i, "role");
        setting.name = stored.substr(0, equals);
        setting.value = stored.substr(equals + 1);
        properties.settings.push_back(std::move(setting));
    }
}

} // namespace

flow::Task<void> read_facts(Session& session, model::Database& database) {
    co_await begin(session);
    database.server_version = session.connection.server_version();
    kinds::Query properties;
    properties.columns = database_columns;
    properties.from = database_from;
    const pq::Rows rows =
        co_await query(session, select_text(properties, session.server_major), "the database");
    if (rows.size() != 1) throw Error{ErrorKind::source, "the server does not know its own database"};
    const AnswerRow row(rows);
    decode_properties(row, database.properties);
    if (row.boolean("may_read_identifier")) {
        const pq::Rows control = co_await query(
            session, "select system_identifier from pg_catalog.pg_control_system()", "the system identifier");
        if (control.size() == 1) database.system_identifier = control.at(0, 0);
    }
    co_await read_settings(session, database.properties);
    const pq::Rows roles =
        co_await query(session, "select r.rolname from pg_catalog.pg_roles r order by r.rolname", "roles");
    for (std::size_t i = 0; i < roles.size(); ++i) database.roles.emplace_back(roles.at(i, 0));
    co_await end(session);
}

} // namespace pgsluice::catalog
