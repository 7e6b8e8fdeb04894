// What views and materialized views share: the query text and how it is read in batches.
#pragma once
#include <optional>
#include <string>

#include "kinds/relation.hpp"

namespace pgsluice::kinds {

struct ViewBody : RelationBody {
    std::string definition;   // the query, without its semicolon
    std::string check_option; // LOCAL, CASCADED; empty: none
    bool populated = false;   // materialized views
};

// pg_get_viewdef() locks what the view reads: see Query::oids_query.
extern const std::span<const Column> view_definition_columns;
inline constexpr std::string_view view_definition_from =
    "from pg_catalog.pg_class c where c.oid = any ($oids$) order by c.oid";
void decode_view_definition(const Row& row, Reading& into);

template <std::size_t N>
constexpr auto views_from(const char (&relkind)[N]) {
    return "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
           " left join pg_catalog.pg_class o on o.oid = c.reltoastrelid"
           " left join pg_catalog.pg_am m on m.oid = c.relam where c.relkind = " +
           sql(relkind) + " and " + user_schema + " and " + no_member("pg_catalog.pg_class", "c.oid") +
           " order by c.oid";
}

extern const std::span<const Column> view_columns;
// The header and everything but columns and definition.
void decode_view(const Row& row, model::Kind kind, Reading& into);

} // namespace pgsluice::kinds
