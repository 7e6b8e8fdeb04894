-- Roles of all_kinds.sql, by a superuser, once per cluster. The owner is no superuser; BYPASSRLS lets it read
-- its own tables under FORCE ROW LEVEL SECURITY, which stock pg_dump needs as well.
set client_min_messages = warning;
do $$
declare name text;
begin
    foreach name in array array['all kinds owner', 'Second "Owner"', 'all_kinds_writer', 'rea''der \ ü'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = name) then
            execute pg_catalog.format('create role %I', name);
        end if;
    end loop;
end $$;
alter role "all kinds owner" login createdb bypassrls nosuperuser;
grant "Second ""Owner""", all_kinds_writer to "all kinds owner";
