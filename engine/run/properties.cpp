#include "run/properties.hpp"

#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "kinds/acl.hpp"
#include "kinds/guc.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

std::vector<std::string> property_statements(const model::DatabaseProperties& target,
                                             const std::string& name) {
    const std::string database = pq::quote_identifier(name);
    std::vector<std::string> statements;
    if (target.connection_limit != -1)
        statements.push_back("ALTER DATABASE " + database + " CONNECTION LIMIT " +
                             std::to_string(target.connection_limit) + ";");
    if (target.comment)
        statements.push_back("COMMENT ON DATABASE " + database + " IS " + pq::quote_literal(*target.comment) +
                             ";");
    kinds::AclWording wording;
    wording.on = "DATABASE " + database;
    wording.owner = target.owner;
    for (std::string& statement : kinds::acl_statements(wording, target.acl.base, target.acl.current))
        statements.push_back(std::move(statement));
    for (const auto& setting : target.settings) {
        std::string who = "ALTER DATABASE " + database;
        if (!setting.role.empty())
            who = "ALTER ROLE " + pq::quote_identifier(setting.role) + " IN DATABASE " + database;
        statements.push_back(who + " SET " + kinds::setting_sql(setting.name + "=" + setting.value) + ";");
    }
    return statements;
}

} // namespace

Task<void> copy_properties(pq::Connection& maintenance, Context& context,
                           const model::DatabaseProperties& target, std::string name) {
    for (const std::string& statement : property_statements(target, name)) {
        std::string refused;
        (void)maintenance.take_notices();
        try {
            co_await maintenance.command(statement);
            for (const pq::Notice& notice : maintenance.take_notices())
                if (notice.sqlstate == "01006" || notice.sqlstate == "01007") refused = notice.message;
        } catch (const Error& error) {
            if (maintenance.broken()) throw;
            refused = error.message() + " [" + error.sqlstate() + "]";
        }
        if (!refused.empty())
            context.remark(
                "database " + one_line(context.target_database()),
                "a property of the database could not be set on the new one: " + one_line(refused),
                "run the SQL as an administrator, with the target's name in place of the new one's",
                statement);
    }
}

} // namespace pgsluice::run
