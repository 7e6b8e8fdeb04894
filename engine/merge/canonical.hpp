// What a server writes of an expression or a query is not always what it writes once it has read that itself:
//   (ARRAY['a'::varchar, 'b'::varchar])::text[]  comes back as  ARRAY[('a'::varchar)::text,
//   ('b'::varchar)::text] (VALUES (1))                                 comes back as  ( VALUES (1)) SELECT
//   'a'::text inside of a set operation   comes back as  SELECT 'a'::text AS text
// (tried on PostgreSQL 15; a second reading changes nothing more). Two definitions are the same when their
// canonical texts are. Pure.
#pragma once
#include <string>
#include <string_view>

namespace pgsluice::merge {

// Tokens with one space between them, casts of array constructors moved to their elements.
std::string canonical(std::string_view definition);

// Short: what a run remembers of a definition, to tell later whether somebody has changed it.
std::string definition_mark(std::string_view definition);

bool same_definition(const std::string& one, const std::string& other);

} // namespace pgsluice::merge
