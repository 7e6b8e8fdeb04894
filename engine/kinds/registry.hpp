// The descriptors, one per kind, each defined in the file of its name (kinds/schema.cpp defines schema_kind).
// Only registry.cpp and tests of a kind name them; everybody else asks all() and descriptor().
#pragma once
#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

extern const Descriptor schema_kind;
extern const Descriptor extension_kind;
extern const Descriptor collation_kind;
extern const Descriptor enum_type_kind;
extern const Descriptor domain_kind;
extern const Descriptor composite_type_kind;
extern const Descriptor range_type_kind;
extern const Descriptor function_kind;
extern const Descriptor procedure_kind;
extern const Descriptor aggregate_kind;
extern const Descriptor sequence_kind;
extern const Descriptor table_kind;
extern const Descriptor view_kind;
extern const Descriptor materialized_view_kind;
extern const Descriptor column_default_kind;
extern const Descriptor check_kind;
extern const Descriptor constraint_kind;
extern const Descriptor index_kind;
extern const Descriptor statistics_kind;
extern const Descriptor rule_kind;
extern const Descriptor trigger_kind;
extern const Descriptor foreign_key_kind;
extern const Descriptor policy_kind;
extern const Descriptor default_acl_kind;

} // namespace pgsluice::kinds
