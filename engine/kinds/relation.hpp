// What the kinds of relations and of things that hang on a relation share: columns, storage options,
// addresses.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/decode.hpp"
#include "kinds/filters.hpp"

namespace pgsluice::kinds {

struct RelationColumn {
    std::string name, type;
    std::string collation_schema, collation; // empty: the type's own
    bool is_local = true;                    // false: only inherited
    bool has_default = false;
    bool has_identity = false;
    bool not_null = false;
    bool not_null_valid = true;
    bool not_null_no_inherit = false;
    std::string not_null_name; // 18 on, when a person chose it
    bool inherits_not_null = false, inherits_default = false, inherits_expression = false;
    char generated = '\0'; // s stored, v virtual
    std::string expression;
    char storage = '\0'; // p, e, m, x; nothing: the type's own, and the parent's
    char type_storage = '\0';
    char compression = '\0'; // p, l; d: the server's default, though a parent has one
    std::optional<std::int64_t> statistics;
    std::vector<std::string> options;
};

struct RelationBody : model::Body {
    std::vector<RelationColumn> columns;
    std::vector<std::string> options, toast_options; // "name=value"
    std::string access_method;                       // empty: heap
};

// The columns of all relations whose relkind is in `relkinds` ("'r', 'p'"). decode_relation_column adds them
// to objects with a RelationBody that an earlier query of the same kind has added.
extern const std::span<const Column> relation_columns;
void decode_relation_column(const Row& row, Reading& into);
template <std::size_t N>
constexpr auto relation_columns_from(const char (&relkinds)[N]) {
    return "from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid"
           " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
           " join pg_catalog.pg_type t on t.oid = a.atttypid"
           " left join pg_catalog.pg_collation l on l.oid = a.attcollation and a.attcollation <> "
           "t.typcollation"
           " left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace"
           " left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
           " where c.relkind in (" +
           sql(relkinds) + ") and a.attnum > 0 and not a.attisdropped and " + user_schema +
           " order by a.attrelid, a.attnum";
}

// ALTER TABLE ONLY ... for what no CREATE can say of a column: statistics target, storage, compression,
// options.
std::string column_settings(const model::Object& relation, const RelationColumn& column);

// ` COLLATE "s"."c"`, or nothing.
std::string collate_clause(const RelationColumn& column);

// `"fillfactor"='70', toast."autovacuum_enabled"='false'` from "name=value" texts.
std::string option_list(const std::vector<std::string>& options,
                        const std::vector<std::string>& toast_options = {});
// ` WITH (...)`, or nothing.
std::string with_clause(const std::vector<std::string>& options,
                        const std::vector<std::string>& toast_options = {});

// `"s"."t"` of the table that the object belongs to.
std::string table_address(const model::Object& object);
// `"name" ON "s"."t"`: triggers, rules, policies, constraints of tables.
std::string address_on_table(const model::Object& object);

// An array of oids as objects of one catalog.
std::vector<model::CatalogId> read_ids(const Row& row, std::string_view column, model::Oid class_oid);

// Adds `who needs x` for each of `needs`.
void add_edges(model::CatalogId who, const std::vector<model::CatalogId>& needs,
               std::vector<model::Dependency>& out);

} // namespace pgsluice::kinds
