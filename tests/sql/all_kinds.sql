-- One hostile database with every kind of object that refresh carries. Roles: all_kinds_roles.sql. Run in an
-- empty database that belongs to "all kinds owner", as that role, with psql -v ON_ERROR_STOP=1.
set client_min_messages = warning;
\o /dev/null
set check_function_bodies = on;
\ir all_kinds/types.sql
\ir all_kinds/routines.sql
\ir all_kinds/tables.sql
\ir all_kinds/values.sql
\ir all_kinds/partitions.sql
\ir all_kinds/keys.sql
\ir all_kinds/cycles.sql
\ir all_kinds/views.sql
\ir all_kinds/triggers.sql
\ir all_kinds/rights.sql
\ir all_kinds/comments.sql
