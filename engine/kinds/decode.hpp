// What decoding has in common: the header's parts that every query of a kind reads in the same way.
#pragma once
#include <memory>
#include <span>

#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

// A header from the columns `oid`, `schema`, `name`.
model::Object read_header(const Row& row, model::Kind kind, model::Oid class_oid);

// Columns `owner`, `acl` and `acl_base` into the header.
void read_rights(const Row& row, model::Object& object);

// Columns `acl` (the catalog's aclitem[], NULL when nobody has granted anything) and `acl_base`
// (acldefault()).
model::Acl read_acl(const Row& row, std::string_view acl = "acl", std::string_view acl_base = "acl_base");

// The body that this kind's own decode has made; what else it holds is a mistake of ours.
template <class T>
const T& body_of(const model::Object& object) {
    return static_cast<const T&>(*object.body);
}

// For queries that extend an object which an earlier query of the same kind has added.
template <class T>
T& body_being_read(model::Object& object) {
    return const_cast<T&>(static_cast<const T&>(*object.body));
}

// The objects of one kind that belong to a table, view or domain, in the order of their names; index() has
// run.
std::span<const model::Object> objects_of(const model::Database& database, model::Kind kind,
                                          std::string_view schema, std::string_view table);

// `"schema"."name"`: the address of most kinds.
std::string qualified_address(const model::Object& object);

} // namespace pgsluice::kinds
