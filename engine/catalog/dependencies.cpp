#include <algorithm>
#include <tuple>

#include "catalog/lift.hpp"
#include "catalog/steps.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::catalog {

namespace {

// p: pinned, no object in it. e: membership, which Lift follows.
constexpr std::string_view edges_sql =
    "select d.classid, d.objid, d.refclassid, d.refobjid, d.deptype from pg_catalog.pg_depend d"
    " where d.objid >= 16384 and d.deptype not in ('p', 'e')";

void sort_and_thin_out(std::vector<model::Dependency>& edges) {
    const auto key = [](const model::Dependency& edge) {
        return std::tuple(edge.who, edge.needs, edge.type);
    };
    std::sort(edges.begin(), edges.end(),
              [&](const model::Dependency& a, const model::Dependency& b) { return key(a) < key(b); });
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
}

void note_extension(model::Database& database, const model::Object* who, const model::Object& extension) {
    auto& names =
        database.objects[static_cast<std::size_t>(who - database.objects.data())].depends_on_extensions;
    if (std::find(names.begin(), names.end(), extension.name) == names.end()) names.push_back(extension.name);
}

} // namespace

flow::Task<void> read_dependencies(Session& session, model::Database& database) {
    Lift lift(database);
    co_await read_lift(session, lift);
    const pq::Rows rows = co_await query(session, std::string(edges_sql), "dependencies");
    AnswerRow row(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        const model::CatalogId who_id{row.oid("classid"), row.oid("objid")};
        const model::CatalogId needs_id{row.oid("refclassid"), row.oid("refobjid")};
        const model::Object* who = lift.object(who_id);
        const model::Object* needs = lift.object(needs_id);
        if (who == nullptr || needs == nullptr || who == needs) continue;
        const char type = row.letter("deptype");
        if (type == 'x' && needs->kind == model::Kind::extension) note_extension(database, who, *needs);
        model::Dependency edge;
        edge.who = who->id;
        edge.needs = needs->id;
        edge.type = type;
        database.dependencies.push_back(edge);
    }
    for (model::Object& object : database.objects)
        std::sort(object.depends_on_extensions.begin(), object.depends_on_extensions.end());
    sort_and_thin_out(database.dependencies);
}

} // namespace pgsluice::catalog
