// SQL fragments that many kinds share, joined at compile time: a Query's text is a constant.
//   constexpr auto from = sql("from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid =
//   c.relnamespace"
//                             " where c.relkind = 'v' and ") + user_schema + " and " +
//                         no_member("pg_catalog.pg_class", "c.oid") + " order by c.oid";
//   ... Query{.columns = columns, .from = from, ...}
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "model/object.hpp"

namespace pgsluice::kinds {

template <std::size_t N>
struct Sql {
    std::array<char, N> text{};
    constexpr operator std::string_view() const { return {text.data(), N}; }
};

template <std::size_t N>
constexpr Sql<N - 1> sql(const char (&literal)[N]) {
    Sql<N - 1> made;
    std::copy_n(literal, N - 1, made.text.begin());
    return made;
}

template <std::size_t N, std::size_t M>
constexpr Sql<N + M> operator+(const Sql<N>& a, const Sql<M>& b) {
    Sql<N + M> made;
    std::copy(a.text.begin(), a.text.end(), made.text.begin());
    std::copy(b.text.begin(), b.text.end(), made.text.begin() + N);
    return made;
}
template <std::size_t N, std::size_t M>
constexpr Sql<N + M - 1> operator+(const Sql<N>& a, const char (&literal)[M]) {
    return a + sql(literal);
}
template <std::size_t N, std::size_t M>
constexpr Sql<N + M - 1> operator+(const char (&literal)[N], const Sql<M>& b) {
    return sql(literal) + b;
}

// `n` is the pg_namespace row. Schema pgsluice is ours: never copied, so it is no object of the user's.
constexpr auto user_schema = sql("n.nspname !~ '^(pg_|information_schema$|pgsluice$)'");

// What CREATE EXTENSION brings is no object of ours. `class_name`: "pg_catalog.pg_proc", `oid`: "p.oid".
template <std::size_t N, std::size_t M>
constexpr auto no_member(const char (&class_name)[N], const char (&oid)[M]) {
    return "not exists (select from pg_catalog.pg_depend e where e.classid = '" + sql(class_name) +
           "'::pg_catalog.regclass and e.objid = " + oid + " and e.objsubid = 0 and e.deptype = 'e')";
}

// Objects without a schema: the server's own have lower numbers (FirstNormalObjectId).
template <std::size_t M>
constexpr auto user_oid(const char (&oid)[M]) {
    return sql(oid) + " >= 16384";
}

// Of `c`, a pg_collation row: usable in this database.
constexpr auto of_this_encoding =
    sql("c.collencoding in (-1, pg_catalog.pg_char_to_encoding(pg_catalog.getdatabaseencoding()))");

// Class oids: pg_depend.classid.
constexpr model::Oid pg_type_class = 1247, pg_proc_class = 1255, pg_class_class = 1259,
                     pg_namespace_class = 2615, pg_constraint_class = 2606, pg_attrdef_class = 2604,
                     pg_rewrite_class = 2618, pg_trigger_class = 2620, pg_policy_class = 3256,
                     pg_extension_class = 3079, pg_statistic_ext_class = 3381, pg_default_acl_class = 826,
                     pg_collation_class = 3456;

} // namespace pgsluice::kinds
