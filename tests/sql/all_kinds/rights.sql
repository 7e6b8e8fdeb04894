-- Owners and rights.
grant usage, create on schema public to "Second ""Owner""", all_kinds_writer;
grant usage, create on schema "select" to "Second ""Owner""" with grant option;
grant create on schema empty_one to "Second ""Owner""";
grant usage on schema "Sch'ema ""1"" \n" to public, "rea'der \ ü";
alter table public.orphans owner to "Second ""Owner""";
alter table public.numbers owner to "Second ""Owner""";
alter view public.old_names owner to "Second ""Owner""";
alter materialized view public.stored_twice owner to "Second ""Owner""";
grant select on public.stored, public.dropped_columns to "Second ""Owner""";
alter function public.add(integer, integer) owner to "Second ""Owner""";
alter procedure "select"."do"(integer[]) owner to "Second ""Owner""";
alter aggregate public.total(integer) owner to "Second ""Owner""";
alter type public.mood owner to "Second ""Owner""";
alter domain public.positive owner to "Second ""Owner""";
alter sequence public.free_sequence owner to "Second ""Owner""";
alter schema empty_one owner to "Second ""Owner""";
alter statistics "select".mcv owner to "Second ""Owner""";
alter table public.by_enum_odd owner to "Second ""Owner""";
alter type public.point3 owner to "Second ""Owner""";

grant select on public.plain to "rea'der \ ü";
grant all on public.plain to all_kinds_writer with grant option;
grant select, update (name, "amount") on public.plain to "Second ""Owner""" with grant option;
grant references (id), insert (id, name) on public.plain to public;
set role all_kinds_writer;
grant select, insert on public.plain to "rea'der \ ü" with grant option;
grant update (name) on public.plain to "rea'der \ ü";
reset role;
set role "Second ""Owner""";
grant select (name) on public.plain to "rea'der \ ü";
grant usage on schema "select" to "rea'der \ ü";
grant select on public.numbers to "all kinds owner" with grant option;
revoke all on public.orphans from "Second ""Owner""";
grant select on public.orphans to "Second ""Owner""";
reset role;
grant select ("Col ""1""", "col
4") on "Sch'ema ""1"" \n"."Ta""ble $1" to "rea'der \ ü";
grant truncate, trigger on "line
break"."ta
ble" to public;
revoke all on public.upper from "all kinds owner";
grant select, insert on public.upper to "all kinds owner";
revoke insert on public."UPPER" from "all kinds owner";
grant select on public.simple_view, public.stored to "rea'der \ ü";
grant update (id) on public.checked_view to all_kinds_writer;
grant select on public.by_list to "rea'der \ ü";
grant insert on public.by_list_c to all_kinds_writer;

revoke execute on function public.add(text, text) from public;
grant execute on function public.add(text, text) to "rea'der \ ü" with grant option;
revoke all on function public.atomic_one(integer) from public, "all kinds owner";
revoke execute on procedure public.do_it(integer, integer) from public;
grant execute on procedure public.do_it(integer, integer) to all_kinds_writer;
grant execute on function public."Agg ""x"""(text, text) to all_kinds_writer;
revoke usage on type public."Dömäin" from public;
grant usage on type public."Dömäin" to "rea'der \ ü";
grant usage on type public.float_range, public.nested to all_kinds_writer;
revoke usage on type "select"."Enum $1" from public;
grant usage, select on sequence public."Descending ""seq""" to "rea'der \ ü";
grant update on sequence public.plain_id_seq to all_kinds_writer with grant option;
grant usage on schema "Ext schéma" to public;

alter default privileges grant select on tables to "rea'der \ ü";
alter default privileges in schema "Sch'ema ""1"" \n" grant insert, update on tables to all_kinds_writer with grant option;
alter default privileges revoke execute on functions from public;
alter default privileges in schema public grant usage on sequences to public;
alter default privileges for role "Second ""Owner""" revoke usage on types from public;
alter default privileges for role "Second ""Owner""" grant usage on schemas to "rea'der \ ü";
alter default privileges for role all_kinds_writer in schema "select" grant execute on functions to "rea'der \ ü";
