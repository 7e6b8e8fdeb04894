#include "catalog/steps.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::catalog {

namespace {

// A comment on a composite type's column hangs on the type's pg_class row, one on the index of a key on the
// index.
constexpr std::string_view comments_sql = R"(
select case when c.relkind = 'c' then 1247 when k.oid is not null then 2606 else d.classoid end as class_oid,
       case when c.relkind = 'c' then c.reltype when k.oid is not null then k.oid else d.objoid end as oid,
       k.oid is not null as is_of_index, a.attname as column_name, d.description
  from pg_catalog.pg_description d
  left join pg_catalog.pg_class c on d.classoid = 1259 and c.oid = d.objoid
  left join pg_catalog.pg_constraint k on d.classoid = 1259 and k.conindid = d.objoid and k.contype in ('p', 'u', 'x')
  left join pg_catalog.pg_attribute a on d.classoid = 1259 and a.attrelid = d.objoid and a.attnum = d.objsubid
   and d.objsubid <> 0
 where (d.objoid >= 16384 or d.classoid = 2615) and (d.objsubid = 0 or a.attname is not null)
 order by 1, 2, d.objsubid)";

void place(const kinds::Row& row, model::Object& object) {
    const std::string text = row.text("description");
    if (const auto column = row.optional_text("column_name"))
        object.column_comments[*column] = text;
    else if (row.boolean("is_of_index"))
        object.details["index_comment"] = text;
    else
        object.comment = text;
}

} // namespace

flow::Task<void> read_comments(Session& session, model::Database& database) {
    const pq::Rows rows = co_await query(session, std::string(comments_sql), "comments");
    AnswerRow row(rows, session.options.is_target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row.move_to(i);
        const model::CatalogId id{row.oid("class_oid"), row.oid("oid")};
        const model::Object* object = database.find(id);
        if (object != nullptr)
            place(row, database.objects[static_cast<std::size_t>(object - database.objects.data())]);
    }
}

} // namespace pgsluice::catalog
