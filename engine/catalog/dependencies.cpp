#include <algorithm>
#include <tuple>

#include "catalog/lift.hpp"
#include "catalog/steps.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::catalog {

namespace {

// p: pinned, no object in it. e: membership, which Lift follows.
// element: the column whose type, collation or generation expression it is about; refcolumn: the column
// needed.
constexpr std::string_view edges_sql = R"(
select d.classid, d.objid, d.refclassid, d.refobjid, d.deptype, coalesce(w.attname, g.attname) as element,
       n.attname as refcolumn, x.extname as extension
  from pg_catalog.pg_depend d
  left join pg_catalog.pg_attribute w on d.classid = 1259 and w.attrelid = d.objid and w.attnum = d.objsubid
   and d.objsubid > 0
  left join pg_catalog.pg_attrdef e on d.classid = 2604 and e.oid = d.objid
  left join pg_catalog.pg_attribute g on g.attrelid = e.adrelid and g.attnum = e.adnum and g.attgenerated <> ''
  left join pg_catalog.pg_attribute n on d.refclassid = 1259 and n.attrelid = d.refobjid
   and n.attnum = d.refobjsubid and d.refobjsubid > 0
  left join pg_catalog.pg_extension x on d.refclassid = 3079 and d.deptype = 'x' and x.oid = d.refobjid
 where d.objid >= 16384 and d.deptype not in ('p', 'e'))";

template <class Edge, class Key>
void sort_and_thin_out(std::vector<Edge>& edges, Key key) {
    std::sort(edges.begin(), edges.end(), [&](const Edge& a, const Edge& b) { return key(a) < key(b); });
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
}

void sort_and_thin_out(model::Database& database) {
    sort_and_thin_out(database.dependencies, [](const model::Dependency& edge) {
        return std::tuple(edge.who, edge.needs, edge.type);
    });
    sort_and_thin_out(database.column_needs, [](const model::ColumnNeed& edge) {
        return std::tie(edge.who, edge.relation, edge.column);
    });
    sort_and_thin_out(database.element_needs, [](const model::ElementNeed& edge) {
        return std::tie(edge.who, edge.element, edge.needs, edge.column);
    });
}

void add_column_needs(const kinds::Row& row, const model::Object& who, const model::Object& needs,
                      model::Database& database) {
    std::string column = row.text("refcolumn");
    if (const std::string element = row.text("element"); !element.empty())
        database.element_needs.push_back({who.id, element, needs.id, std::move(column)});
    else if (!column.empty() && &who != &needs)
        database.column_needs.push_back({who.id, needs.id, std::move(column)});
}

void note_extension(model::Database& database, const model::Object* who, std::string extension) {
    auto& names =
        database.objects[static_cast<std::size_t>(who - database.objects.data())].depends_on_extensions;
    if (std::find(names.begin(), names.end(), extension) == names.end())
        names.push_back(std::move(extension));
}

} // namespace

flow::Task<void> read_dependencies(Session& session, model::Database& database) {
    Lift lift(database);
    co_await read_lift(session, lift);
    const pq::Rows rows = co_await query(session, std::string(edges_sql), "dependencies");
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        const model::CatalogId who_id{row.oid("classid"), row.oid("objid")};
        const model::CatalogId needs_id{row.oid("refclassid"), row.oid("refobjid")};
        const model::Object* who = lift.object(who_id);
        const model::Object* needs = lift.object(needs_id);
        // plpgsql is no object of ours: every database has it.
        std::string extension = row.text("extension");
        if (who != nullptr && who->id == who_id && !extension.empty())
            note_extension(database, who, std::move(extension));
        if (who == nullptr || needs == nullptr) continue;
        add_column_needs(row, *who, *needs, database);
        if (who == needs) continue;
        const char type = row.letter("deptype");
        model::Dependency edge;
        edge.who = who->id;
        edge.needs = needs->id;
        edge.type = type;
        database.dependencies.push_back(edge);
    }
    for (model::Object& object : database.objects)
        std::sort(object.depends_on_extensions.begin(), object.depends_on_extensions.end());
    sort_and_thin_out(database);
}

} // namespace pgsluice::catalog
