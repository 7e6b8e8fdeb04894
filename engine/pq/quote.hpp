// The one quoting layer. Everything that goes into SQL text or a conninfo passes here; nothing else
// concatenates. All text is UTF-8: every session of ours sets client_encoding, so a byte sequence cannot hide
// a quote. Pure: includes no libpq, so `kinds` may use it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::pq {

// Always quoted: "name" with " doubled. Throws Error{internal} on an embedded NUL.
std::string quote_identifier(std::string_view name);
// "schema"."name"; schema may be empty (then only the name).
std::string quote_qualified(std::string_view schema, std::string_view name);
// 'text' with ' doubled; with a backslash inside E'...' with it doubled, right whatever
// standard_conforming_strings.
std::string quote_literal(std::string_view text);
// "a", "b"
std::string quote_identifiers(const std::vector<std::string>& names);
// $tag$text$tag$ with a tag that does not occur in the text and is not completed by its end.
std::string dollar_quote(std::string_view text);
// PUBLIC for an empty role, else the identifier: for GRANT, REVOKE and policies.
std::string quote_role(std::string_view role);
// key='value' with ' and \ escaped.
std::string quote_conninfo_value(std::string_view value);
// Text for `-- ...` comment lines: one line, whatever the name holds.
std::string comment_text(std::string_view text);

} // namespace pgsluice::pq
