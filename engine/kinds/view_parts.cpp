#include "base/error.hpp"
#include "kinds/view.hpp"

namespace pgsluice::kinds {

namespace {

constexpr Column columns[] = {
    {"oid", "c.oid"},
    {"schema", "n.nspname"},
    {"name", "c.relname"},
    {"owner", "pg_catalog.pg_get_userbyid(c.relowner)"},
    {"acl", "c.relacl"},
    {"acl_base", "pg_catalog.acldefault('r', c.relowner)"},
    {"options", "array(select o from pg_catalog.unnest(c.reloptions) o where not pg_catalog.starts_with(o, "
                "'check_option='))"},
    {"check_option",
     "(select pg_catalog.upper(pg_catalog.substr(o, 14)) from pg_catalog.unnest(c.reloptions) o"
     " where o in ('check_option=local', 'check_option=cascaded') limit 1)"},
    {"toast_options", "o.reloptions"},
    {"access_method", "case when m.amname <> 'heap' then m.amname end"},
    {"populated", "c.relkind = 'm' and c.relispopulated"},
};

constexpr Column definition_columns[] = {
    {"oid", "c.oid"},
    {"definition", "pg_catalog.pg_get_viewdef(c.oid)"},
};

} // namespace

const std::span<const Column> view_columns = columns;
const std::span<const Column> view_definition_columns = definition_columns;

void decode_view(const Row& row, model::Kind kind, Reading& into) {
    model::Object object = read_header(row, kind, pg_class_class);
    read_rights(row, object);
    object.relation = object.id;
    auto body = std::make_shared<ViewBody>();
    body->options = row.texts("options");
    body->check_option = row.text("check_option");
    body->toast_options = row.texts("toast_options");
    body->access_method = row.text("access_method");
    body->populated = row.boolean("populated");
    if (body->populated) object.details["populated"] = "true";
    object.body = std::move(body);
    into.add(std::move(object));
}

void decode_view_definition(const Row& row, Reading& into) {
    model::Object* object = into.find(model::CatalogId{pg_class_class, row.oid("oid")});
    if (object == nullptr) return;
    std::string definition = row.text("definition");
    // Read without a lock, a view may be gone or in the middle of a change: its text is then missing.
    if (definition.empty() || definition.back() != ';')
        throw Error{ErrorKind::source, "the server sent no complete definition of a view"}
            .object(model::display_name(*object))
            .hint("the view was probably changed or dropped meanwhile: run again");
    definition.pop_back();
    body_being_read<ViewBody>(*object).definition = std::move(definition);
}

} // namespace pgsluice::kinds
