-- A small database for tests that kill at random moments: 20 tables in a chain of foreign keys, indexes,
-- a sequence each, a view, a materialized view, a trigger. Loads in a second.
\o /dev/null
create table public.t1 (id serial primary key, parent integer, name text not null, changed timestamptz default now());
insert into public.t1 (name) select 'row ' || g from generate_series(1, 400) g;
do $$
declare n integer;
begin
    for n in 2 .. 20 loop
        execute format('create table public.t%1$s (id serial primary key, parent integer references public.t%2$s on delete cascade,
            name text not null, changed timestamptz default now())', n, n - 1);
        execute format('insert into public.t%1$s (parent, name) select 1 + g %% 400, md5(g::text) from generate_series(1, 400) g', n);
        execute format('create index on public.t%1$s (parent)', n);
    end loop;
end $$;
-- The chain is closed: a cycle of 20 foreign keys.
update public.t1 set parent = id;
alter table public.t1 add foreign key (parent) references public.t20 deferrable;
create view public.names as select a.name as first, b.name as second from public.t1 a join public.t2 b on b.parent = a.id;
create materialized view public.totals as select count(*) as n from public.names;
create function public.touch() returns trigger language plpgsql as 'begin new.changed := now(); return new; end';
create trigger touch before update on public.t1 for each row execute function public.touch();
analyze;
