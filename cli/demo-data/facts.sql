-- What a database has, a line each: users and roles by name, columns, objects, grants. For comparing databases.
\set ON_ERROR_STOP on
set client_min_messages = error;
set search_path = pg_catalog;
select 'user ' || delius_username from public.users
union
select 'assignment ' || u.delius_username || ' ' || r.role
from public.users u join public.user_role_assignments r on r.user_id = u.id
union
select 'column ' || n.nspname || '.' || c.relname || '.' || a.attname
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname in ('public', 'reporting') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
union
select 'object ' || n.nspname || '.' || c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'reporting') and c.relkind in ('r', 'p', 'v', 'm', 'i', 'S')
union
select 'object ' || t.tgname || ' on ' || t.tgrelid::regclass from pg_trigger t where not t.tgisinternal
union
select 'object ' || k.conname || ' on ' || k.conrelid::regclass from pg_constraint k where k.contype = 'f'
union
select 'grant ' || c.relname || ' ' || a.grantee::regrole || ' ' || a.privilege_type
from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
where n.nspname in ('public', 'reporting') and c.relkind in ('r', 'p', 'v', 'm') and a.grantee not in (0, c.relowner);
