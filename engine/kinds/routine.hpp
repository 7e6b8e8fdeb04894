// What functions, window functions and procedures have in common: nearly all.
#pragma once
#include "kinds/descriptor.hpp"

namespace pgsluice::kinds {

// Natural key and address of anything in pg_proc. Matching goes by the types of the input arguments;
// addresses take the server's identity arguments, since procedures that differ in OUT arguments only share
// the former.
struct RoutineBody : model::Body {
    char prokind = 'f';    // pg_proc.prokind: f function, w window function, p procedure, a aggregate
    std::string identity;  // pg_get_function_identity_arguments
    std::string arguments; // pg_get_function_arguments: with names, modes and defaults
    std::optional<std::string> result;
    std::string language, source, binary;
    std::string sql_body; // BEGIN ATOMIC or RETURN, deparsed; replaces `source`
    std::vector<std::string> transforms, settings;
    char volatility = 'v', parallel = 'u';
    bool strict = false, security_definer = false, leakproof = false, returns_set = false;
    std::string cost, rows, support;
};

void decode_routine(const Row& row, model::Kind kind, Reading& into);
void decode_sql_body(const Row& row, Reading& into);
Ddl write_routine(const model::Object& object, const Context& context);
std::string routine_address(const model::Object& object);

std::span<const Column> routine_columns();
std::span<const Column> sql_body_columns();

} // namespace pgsluice::kinds
