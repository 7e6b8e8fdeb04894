-- The release after prod's: its migrations have run on preprod, and not on prod. Run with psql -f, by preprod's service
-- long ago and by `pgsluice refresh --migrate` on fresh rows. They fail where they have run already, as most do.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
set search_path = public;
begin;

alter table users add column nomis_username text;
alter table user_role_assignments add column granted_by text not null default 'service';
alter table user_qualification_assignments add column expires_on date;
alter table out_of_service_beds rename to bed_closures;

insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, installed_on,
    execution_time, success)
select 155 + i, '2026111' || i || '120000', description, 'SQL', 'V2026111' || i || '120000__' || replace(description, ' ', '_') || '.sql',
    hashtext(description), 'service', timestamp '2026-11-10 10:00' + i * interval '1 day', 7, true
from unnest(array['users nomis username', 'who granted a role', 'qualifications expire', 'beds are closed']) with ordinality
    as migrations (description, i);
commit;
