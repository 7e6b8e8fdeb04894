// Names of tables and columns as a person writes them in an option: plain, or quoted as in SQL. Pure.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::merge {

// "a ""b""" without its quotes; what is not quoted stays as it is.
std::string unquoted(std::string text);
// At the separators that are not inside quotes; the parts keep their quotes.
std::vector<std::string> split_name(const std::string& text, char separator);
// Whether the text means this table: SCHEMA.TABLE or TABLE, quoted where it must be or as it stands.
bool names_table(const std::string& text, const std::string& schema, const std::string& name);

} // namespace pgsluice::merge
