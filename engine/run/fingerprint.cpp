#include "run/fingerprint.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "kinds/descriptor.hpp"

namespace pgsluice::run {

namespace {

constexpr std::size_t names_shown_max = 20;

// Fields of any text, so that no two lists of them read alike.
class Text {
public:
    void add(std::string_view field) {
        text_ += std::to_string(field.size()) + ":";
        text_ += field;
    }
    void add(const std::vector<std::string>& fields) {
        add(std::to_string(fields.size()));
        for (const std::string& field : fields) add(field);
    }
    void add(const std::map<std::string, std::string>& fields) {
        add(std::to_string(fields.size()));
        for (const auto& [name, value] : fields) {
            add(name);
            add(value);
        }
    }
    void add_optional(const std::optional<std::string>& field) { add(field ? "=" + *field : std::string()); }
    void add(const model::Acl& acl) {
        for (const auto* grants : {&acl.base, &acl.current}) {
            add(std::to_string(grants->size()));
            for (const model::Grant& grant : *grants) {
                add(grant.grantee);
                add(grant.grantor);
                add(grant.privileges);
                add(grant.with_option);
            }
        }
    }
    std::uint64_t hash() const { return stable_hash(text_); }

private:
    std::string text_;
};

std::uint64_t hash_of(const model::Object& object, const model::Database& database) {
    Text text;
    text.add(kinds::definition(object, database, database.server_version));
    text.add(object.owner);
    text.add_optional(object.comment);
    text.add(object.acl);
    for (const auto& [column, acl] : object.column_acls) {
        text.add(column);
        text.add(acl);
    }
    text.add(object.column_comments);
    text.add(object.depends_on_extensions);
    text.add(object.elements);
    text.add(object.roles);
    if (object.kind == model::Kind::extension) text.add(object.details);
    return text.hash();
}

std::uint64_t hash_of(const model::DatabaseProperties& properties) {
    Text text;
    text.add(properties.owner);
    text.add_optional(properties.comment);
    text.add(properties.acl);
    text.add(std::to_string(properties.connection_limit));
    for (const model::DatabaseProperties::Setting& setting : properties.settings)
        for (const std::string* field : {&setting.role, &setting.name, &setting.value}) text.add(*field);
    return text.hash();
}

} // namespace

std::string Fingerprint::text() const {
    Text text;
    for (const auto& [name, hash] : objects) {
        text.add(name);
        text.add(std::to_string(hash));
    }
    return fmt::format("{:016x}", text.hash());
}

Fingerprint fingerprint_of(const model::Database& target) {
    Fingerprint print;
    for (const model::Object& object : target.objects)
        print.objects[model::display_name(object)] += hash_of(object, target);
    // What no kind can carry is known by name only.
    for (const model::Unsupported& object : target.unsupported)
        print.objects[one_line(object.kind + " " + object.name)] += 1;
    print.objects["settings, owner, grants or comment of the database"] = hash_of(target.properties);
    return print;
}

flow::Task<Fingerprint> read_fingerprint(pq::Connection& session, std::chrono::milliseconds lock_timeout) {
    const std::string patience = fmt::format("set lock_timeout = '{}ms'", lock_timeout.count());
    const std::string again = "set lock_timeout = 0";
    catalog::ReadOptions options;
    options.sequence_values = false;
    options.sizes = false;
    co_await session.command(patience);
    model::Database now;
    try {
        now = co_await catalog::read(session, options);
    } catch (Error& error) {
        error.during("cannot tell whether the target's schema was changed");
        if (error.sqlstate() == "55P03")
            error.hint("somebody is changing it right now: run again when nobody migrates the target");
        throw;
    }
    co_await session.command(again);
    co_return fingerprint_of(now);
}

flow::Task<std::string> catalog_mark(pq::Connection& session) {
    std::string rows;
    for (const char* catalog : {"pg_namespace",      "pg_class",
                                "pg_type",           "pg_proc",
                                "pg_constraint",     "pg_attrdef",
                                "pg_rewrite",        "pg_trigger",
                                "pg_policy",         "pg_enum",
                                "pg_operator",       "pg_opclass",
                                "pg_opfamily",       "pg_cast",
                                "pg_collation",      "pg_conversion",
                                "pg_extension",      "pg_statistic_ext",
                                "pg_default_acl",    "pg_event_trigger",
                                "pg_foreign_server", "pg_foreign_data_wrapper",
                                "pg_publication",    "pg_ts_config",
                                "pg_ts_dict",        "pg_ts_parser",
                                "pg_ts_template",    "pg_language",
                                "pg_transform"})
        rows += fmt::format("select '{0}'::pg_catalog.text, oid::pg_catalog.text, xmin from pg_catalog.{0} "
                            "where oid >= 16384 or oid = 2200 union all ",
                            catalog);
    rows += R"(
select 'pg_attribute', attrelid || '.' || attnum, xmin from pg_catalog.pg_attribute where attrelid >= 16384
union all select 'pg_index', indexrelid::pg_catalog.text, xmin from pg_catalog.pg_index where indexrelid >= 16384
union all select 'pg_sequence', seqrelid::pg_catalog.text, xmin from pg_catalog.pg_sequence
union all select 'pg_inherits', inhrelid::pg_catalog.text, xmin from pg_catalog.pg_inherits
union all select 'pg_description', objoid || '.' || classoid || '.' || objsubid, xmin
    from pg_catalog.pg_description where objoid >= 16384 or objoid = 2200
union all select 'pg_seclabel', objoid || '.' || classoid || '.' || objsubid, xmin from pg_catalog.pg_seclabel
union all select 'pg_database', oid::pg_catalog.text, xmin
    from pg_catalog.pg_database where datname = pg_catalog.current_database()
union all select 'pg_db_role_setting', setdatabase || '.' || setrole, xmin from pg_catalog.pg_db_role_setting)";
    const std::string sql = "select count(*) || ' ' || coalesce(pg_catalog.sum(pg_catalog.hashtextextended("
                            "(x.catalog || x.address || ' ' || x.xmin::pg_catalog.text) collate "
                            "pg_catalog.\"C\", 0)), 0) from (" +
                            rows + ") as x(catalog, address, xmin)";
    co_return co_await session.value(sql);
}

void refuse_changed_schema(const Fingerprint& at_start, const Fingerprint& now) {
    std::vector<std::string> names;
    for (const auto& [name, hash] : now.objects) {
        const auto before = at_start.objects.find(name);
        if (before == at_start.objects.end() || before->second != hash) names.push_back(name);
    }
    for (const auto& [name, hash] : at_start.objects)
        if (!now.objects.contains(name)) names.push_back(name);
    if (names.empty()) return;
    std::sort(names.begin(), names.end());
    const std::size_t all = names.size();
    names.resize(std::min(all, names_shown_max));
    std::string object = join(names, ", ");
    if (all > names.size()) object += fmt::format(" and {} more", all - names.size());
    throw Error{ErrorKind::refused, "the target's schema was changed while the run was on"}
        .object(object)
        .hint("the target is as its users left it: run again when nobody migrates it");
}

} // namespace pgsluice::run
