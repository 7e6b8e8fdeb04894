-- Loops that pg_depend alone does not untie: each needs one of pg_dump's repairs.
-- A check and a default that call functions which take the table's own row type:
create table public.checked (id integer primary key, a integer, b integer);
create function public.row_is_good(r public.checked) returns boolean language sql immutable as 'select r.a <= r.b';
alter table public.checked add constraint row_is_good check (public.row_is_good(checked.*));
create function public.default_from_row(r public.checked) returns integer language sql as 'select coalesce(r.a, 7)';
alter table public.checked alter column b set default public.default_from_row(null::public.checked);
insert into public.checked values (1, 1, default), (2, 2, 3);

-- A generated column over a function with the row type of an older state of the table:
create table public.counts_itself (id integer);
create function public.count_rows() returns bigint language sql stable as 'select count(*) from public.counts_itself';
alter table public.counts_itself add column seen bigint default public.count_rows();
insert into public.counts_itself values (1), (2);

-- Views that need each other:
create view public.circle_a as select 1 as x, 'a'::text as t;
create view public.circle_b as select x, t from public.circle_a;
create or replace view public.circle_a as select x, t from public.circle_b;

-- A view, a materialized view and a function that live from a primary key:
create table public.grouped (id integer primary key, name text, n integer);
insert into public.grouped select g, 'g' || g, g from generate_series(1, 20) g;
create table public.group_items (grouped integer references public.grouped, v integer);
insert into public.group_items select 1 + g % 20, g from generate_series(1, 100) g;
create view public.by_key as
    select g.id, g.name, sum(i.v) as total from public.grouped g join public.group_items i on i.grouped = g.id group by g.id;
create materialized view public.by_key_stored as
    select g.id, g.name, g.n, count(*) as items from public.grouped g join public.group_items i on i.grouped = g.id
    group by g.id;
create function public.by_key_function() returns table (id integer, name text) language sql
    begin atomic; select g.id, g.name from public.grouped g group by g.id; end;
create view public.over_function as select * from public.by_key_function();

-- A function over a view over a function, and a column of a view's row type:
create function public.takes_view(public.by_key) returns text language sql as 'select ($1).name';
create view public.over_takes_view as select public.takes_view(v) as name from public.by_key v;
create table public.of_view_type (v public.by_key, vs public.over_function[]);
insert into public.of_view_type values (row (1, 'x', 2)::public.by_key, array[row (1, 'y')::public.over_function]);

-- A domain whose check calls a function over the domain's own table:
create table public.allowed_codes (code text primary key);
insert into public.allowed_codes values ('a'), ('b');
create function public.code_is_allowed(c text) returns boolean language plpgsql stable
    as 'begin return true or exists (select from public.allowed_codes a where a.code = c); end';
create domain public.code as text check (public.code_is_allowed(value));
create table public.coded (code public.code);
insert into public.coded values ('a'), (null);
-- A policy, a rule and a trigger condition that read other tables, later in the order of names:
create table public.z_rights (id integer primary key);
create table public.a_secured (id integer, owner_name text default current_user);
create policy reads_later on public.a_secured using (exists (select from public.z_rights z where z.id = a_secured.id));
