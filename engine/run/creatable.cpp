#include "run/creatable.hpp"

#include <algorithm>
#include <sstream>

#include "base/text.hpp"
#include "pq/quote.hpp"

namespace pgsluice::run {

namespace {

bool is_routine(const model::Object& object) {
    return object.kind == model::Kind::function || object.kind == model::Kind::procedure ||
           object.kind == model::Kind::aggregate;
}

std::set<std::string> setting_names(const model::Object& object) {
    const auto at = object.details.find("settings");
    std::set<std::string> names;
    if (at == object.details.end()) return names;
    std::istringstream lines(at->second);
    for (std::string name; std::getline(lines, name);) names.insert(name);
    return names;
}

// Of these, the ones that the role may not set in a function of its own. A name that the server does not know
// (a module's that is not loaded, or made up) is a superuser's, too; plpgsql is loaded by the first function
// in it.
Task<std::set<std::string>> forbidden_settings(pq::Connection& target, std::set<std::string> names) {
    std::set<std::string> forbidden;
    if (names.empty()) co_return forbidden;
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + pq::quote_literal(name);
    std::string sql = "select w.name from pg_catalog.unnest(array[" + list +
                      "]) as w(name) where w.name !~* '^plpgsql[.]' and not exists (select from "
                      "pg_catalog.pg_settings s where "
                      "pg_catalog.lower(s.name) = pg_catalog.lower(w.name) and s.context = 'user')";
    if (target.server_version() >= 150000)
        sql += " and not pg_catalog.has_parameter_privilege(w.name, 'SET')";
    const pq::Rows rows = co_await target.rows(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) forbidden.emplace(rows.at(i, "name"));
    co_return forbidden;
}

// All that cannot be there without `object`, by pg_depend.
std::vector<const model::Object*> dependents(const model::Object& object, const model::Database& database) {
    std::vector<const model::Object*> found = {&object};
    for (std::size_t at = 0; at < found.size(); ++at)
        for (const model::Dependency& dependency : database.dependencies) {
            if (dependency.needs != found[at]->id) continue;
            const model::Object* who = database.find(dependency.who);
            if (who != nullptr && std::find(found.begin(), found.end(), who) == found.end())
                found.push_back(who);
        }
    found.erase(found.begin());
    return found;
}

} // namespace

Task<NotCreatable> read_not_creatable(pq::Connection& target, const model::Database& source) {
    NotCreatable found;
    const std::string sql = "select rolsuper from pg_catalog.pg_roles where rolname = current_user";
    const std::string superuser = co_await target.value(sql);
    if (superuser == "t") co_return found;
    std::set<std::string> names;
    for (const model::Object& object : source.objects) names.merge(setting_names(object));
    const std::set<std::string> forbidden = co_await forbidden_settings(target, std::move(names));
    for (const model::Object& object : source.objects) {
        std::vector<std::string> why;
        if (const auto at = object.details.find("superuser"); at != object.details.end())
            why.push_back(at->second);
        for (const std::string& name : setting_names(object))
            if (forbidden.contains(name)) why.push_back("SET " + one_line(name));
        if (!why.empty()) found.emplace(model::natural_key(object), join(why, ", "));
    }
    co_return found;
}

NotCreatable left_out(const NotCreatable& not_creatable, const model::Database& source) {
    NotCreatable out;
    for (const auto& [key, why] : not_creatable) {
        const model::Object* object = source.find(key);
        if (object == nullptr) continue;
        const std::vector<const model::Object*> users = dependents(*object, source);
        if (!std::all_of(users.begin(), users.end(), [](const auto* user) { return is_routine(*user); }))
            continue;
        out[key] = "only a superuser may create it: " + why;
        for (const model::Object* user : users)
            out.emplace(model::natural_key(*user), "it needs " + model::display_name(*object));
    }
    return out;
}

std::vector<report::Refusal> needed_but_not_creatable(const NotCreatable& not_creatable,
                                                      const model::Database& source) {
    std::vector<report::Refusal> refusals;
    for (const auto& [key, why] : not_creatable) {
        const model::Object* object = source.find(key);
        if (object == nullptr) continue;
        for (const model::Object* user : dependents(*object, source)) {
            if (is_routine(*user)) continue;
            report::Refusal refusal;
            refusal.object = model::display_name(*object);
            refusal.text = "the target's role may not create what " + model::display_name(*user) +
                           " needs: only a superuser may (" + why + ")";
            refusal.hint = "make it on the source so that its owner could (for a setting, from PostgreSQL 15 "
                           "on: GRANT SET ON PARAMETER on the target), or connect to the target as a "
                           "superuser";
            refusals.push_back(std::move(refusal));
            break;
        }
    }
    return refusals;
}

} // namespace pgsluice::run
