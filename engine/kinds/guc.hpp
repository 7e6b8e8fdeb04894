// The value of a setting as SET takes it. Lists whose elements are quoted one by one are stored as such
// (search_path="$user", public) and must be written that way: a single literal would be one odd element.
#pragma once
#include <string>
#include <string_view>

namespace pgsluice::kinds {

// `name=value` as pg_proc.proconfig and pg_db_role_setting.setconfig hold it, as `"name" TO 'value'`.
std::string setting_sql(std::string_view stored);

// The value alone: `'a', 'b'` for a list, else a literal.
std::string setting_value_sql(std::string_view name, std::string_view value);

} // namespace pgsluice::kinds
