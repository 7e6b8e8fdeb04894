#include "merge/migration_tools.hpp"

#include <algorithm>
#include <cctype>

namespace pgsluice::merge {

namespace {

// Each from the tool's own sources and from tables that it made.
std::vector<MigrationTool> known_tools() {
    std::vector<MigrationTool> tools;
    MigrationTool tool;

    tool.name = "Flyway";
    tool.tables = {"flyway_schema_history", "schema_version"};
    tool.columns = {{"installed_rank", 'i'}, {"version"},  {"description"},
                    {"type", 't'},           {"checksum"}, {"success", 'b'}};
    tool.version = "@version", tool.description = "@description", tool.checksum = "@checksum";
    tool.success = "@success", tool.repeatable = "@version is null";
    tool.undone = "@type like 'UNDO%' or @type = 'DELETE'";
    tool.baseline = "@type like '%BASELINE%' and @type not like 'UNDO%'";
    tool.where = "@type <> 'SCHEMA'", tool.order = "@installed_rank";
    tool.form = VersionForm::numbered, tool.rank = "installed_rank";
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Liquibase";
    tool.tables = {"databasechangelog"};
    tool.columns = {{"id"}, {"author"}, {"filename"}, {"orderexecuted", 'i'}, {"exectype"}, {"md5sum"}};
    tool.version =
        "pg_catalog.regexp_replace(@filename, '^classpath:', '') || '::' || @id || '::' || @author";
    tool.description = "@description", tool.checksum = "@md5sum";
    tool.success = "@exectype in ('EXECUTED', 'MARK_RAN', 'RERAN')";
    tool.repeatable = "@exectype = 'RERAN'"; // a changeset with runOnChange or runAlways
    tool.order = "@orderexecuted", tool.checksum_has_prefix = true, tool.rank = "orderexecuted";
    tools.push_back(std::move(tool));

    // dbmate's table is of the same shape.
    tool = {};
    tool.name = "Rails";
    tool.tables = {"schema_migrations"};
    tool.columns = {{"version", 't'}};
    tool.absent = {"dirty", "inserted_at"};
    tool.version = "@version", tool.order = "@version", tool.form = VersionForm::integer;
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Alembic";
    tool.tables = {"alembic_version"};
    tool.columns = {{"version_num", 't'}};
    tool.version = "@version_num", tool.order = "@version_num", tool.head_only = true;
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Django";
    tool.tables = {"django_migrations"};
    tool.columns = {{"id", 'i'}, {"app", 't'}, {"name", 't'}, {"applied"}};
    tool.version = "@app || '.' || @name", tool.order = "@id", tool.rank = "id";
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Knex";
    tool.tables = {"knex_migrations"};
    tool.columns = {{"id", 'i'}, {"name", 't'}, {"batch"}, {"migration_time"}};
    tool.version = "@name", tool.order = "@id", tool.rank = "id";
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Prisma";
    tool.tables = {"_prisma_migrations"};
    tool.columns = {{"id"}, {"checksum"}, {"finished_at"}, {"migration_name", 't'}, {"rolled_back_at"}};
    tool.version = "@migration_name", tool.checksum = "@checksum";
    tool.success = "@finished_at is not null and @rolled_back_at is null", tool.order = "@migration_name";
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "Ecto";
    tool.tables = {"schema_migrations"};
    tool.columns = {{"version", 'i'}, {"inserted_at"}};
    tool.version = "@version", tool.order = "@version", tool.form = VersionForm::integer;
    tools.push_back(std::move(tool));

    tool = {};
    tool.name = "golang-migrate";
    tool.tables = {"schema_migrations"};
    tool.columns = {{"version", 'i'}, {"dirty", 'b'}};
    tool.version = "@version", tool.success = "not @dirty", tool.order = "@version";
    tool.form = VersionForm::integer, tool.head_only = true;
    tools.push_back(std::move(tool));
    return tools;
}

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

const TableShape::Column* find_column(const TableShape& table, std::string_view name) {
    for (const TableShape::Column& column : table.columns)
        if (column.name == name) return &column;
    for (const TableShape::Column& column : table.columns)
        if (lower(column.name) == name) return &column;
    return nullptr;
}

bool has_type(const TableShape::Column& column, char type) {
    const std::string& name = column.type;
    switch (type) {
    case 't': return name == "text" || name.starts_with("character") || name.ends_with("citext");
    case 'i': return name == "integer" || name == "bigint" || name == "smallint" || name == "numeric";
    case 'b': return name == "boolean";
    default: return true;
    }
}

bool fits(const MigrationTool& tool, const TableShape& table) {
    for (const MigrationTool::Column& wanted : tool.columns) {
        const TableShape::Column* column = find_column(table, wanted.name);
        if (!column || !has_type(*column, wanted.type)) return false;
    }
    return std::none_of(tool.absent.begin(), tool.absent.end(),
                        [&](std::string_view name) { return find_column(table, name) != nullptr; });
}

// The first of `names` that the table has and that is not `taken`, as "@name".
std::string first_of(const TableShape& table, std::initializer_list<std::string_view> names, char type,
                     const std::string& taken = {}) {
    for (const std::string_view name : names) {
        const TableShape::Column* column = find_column(table, name);
        std::string token = "@" + std::string(name);
        if (column && has_type(*column, type) && token != taken) return token;
    }
    return "";
}

// A table of a tool that is not known: columns by the names that such tables have.
std::optional<MigrationTool> guess_tool(const TableShape& table) {
    MigrationTool tool;
    tool.name = "other";
    tool.version = first_of(table,
                            {"version", "version_num", "version_id", "migration_name", "migration", "name",
                             "filename", "script", "script_name", "scriptname", "id"},
                            '*');
    if (tool.version.empty()) return std::nullopt;
    tool.description =
        first_of(table, {"description", "name", "title", "script", "filename"}, 't', tool.version);
    tool.checksum = first_of(table, {"checksum", "hash", "md5sum", "md5", "sha256", "script_hash"}, '*');
    const std::string success = first_of(table, {"success", "succeeded", "is_applied", "applied"}, 'b');
    const std::string dirty = first_of(table, {"dirty", "failed"}, 'b');
    if (!success.empty())
        tool.success = success;
    else if (!dirty.empty())
        tool.success = "not " + dirty;
    tool.order = first_of(table, {"installed_rank", "rank", "id"}, 'i', tool.version);
    if (!tool.order.empty()) tool.rank = tool.order.substr(1);
    if (tool.order.empty()) tool.order = tool.version;
    const TableShape::Column* version = find_column(table, std::string_view(tool.version).substr(1));
    if (has_type(*version, 'i')) tool.form = VersionForm::integer;
    return tool;
}

} // namespace

const std::vector<MigrationTool>& migration_tools() {
    static const std::vector<MigrationTool> tools = known_tools();
    return tools;
}

std::string HistoryTable::column(std::string_view wanted) const {
    for (const std::string& have : columns)
        if (have == wanted) return have;
    for (const std::string& have : columns)
        if (lower(have) == wanted) return have;
    return "";
}

std::optional<HistoryTable> recognise_history(const TableShape& table, bool named) {
    HistoryTable history;
    history.schema = table.schema;
    history.name = table.name;
    for (const TableShape::Column& column : table.columns) history.columns.push_back(column.name);
    for (const MigrationTool& tool : migration_tools()) {
        const auto& names = tool.tables;
        const bool known = std::find(names.begin(), names.end(), lower(table.name)) != names.end();
        // One column is no shape: a table named by hand may be anybody's.
        const bool may_fit = known || (named && tool.columns.size() > 2);
        if (!may_fit || !fits(tool, table)) continue;
        history.tool = tool;
        return history;
    }
    if (!named) return std::nullopt;
    std::optional<MigrationTool> guessed = guess_tool(table);
    if (!guessed) return std::nullopt;
    history.tool = std::move(*guessed);
    return history;
}

std::string canonical_version(VersionForm form, const std::string& version) {
    if (form == VersionForm::text) return version;
    if (form == VersionForm::integer) {
        if (version.find_first_not_of("0123456789") != std::string::npos) return version;
        const std::size_t first = version.find_first_not_of('0');
        return first == std::string::npos ? "0" : version.substr(first);
    }
    std::string text, number;
    std::size_t significant = 0; // trailing zeros say nothing
    const auto end_number = [&] {
        const std::size_t first = number.find_first_not_of('0');
        text += (first == std::string::npos ? "0" : number.substr(first)) + ".";
        if (first != std::string::npos) significant = text.size();
        number.clear();
    };
    for (const char c : version) {
        if (c == '.' || c == '_')
            end_number();
        else
            number += c;
    }
    end_number();
    return text.substr(0, significant);
}

int compare_canonical(const std::string& left, const std::string& right) {
    std::size_t l = 0, r = 0;
    while (l < left.size() || r < right.size()) {
        const std::size_t l_end = std::min(left.find('.', l), left.size());
        const std::size_t r_end = std::min(right.find('.', r), right.size());
        const std::string a = l < left.size() ? left.substr(l, l_end - l) : "";
        const std::string b = r < right.size() ? right.substr(r, r_end - r) : "";
        if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1; // numbers without leading zeros
        if (a != b) return a < b ? -1 : 1;
        l = std::min(l_end + 1, left.size());
        r = std::min(r_end + 1, right.size());
    }
    return 0;
}

} // namespace pgsluice::merge
