-- Views and materialized views.
create view public.simple_view as select id, name, 'it''s \ $$'::text as "Quo""ted ' col" from public.plain;
create view public."View ""x"" \n" with (security_barrier = true, security_invoker = true) as
    select * from "Sch'ema ""1"" \n"."Ta""ble $1";
create view "select"."view" ("a
b", "from") as select 1, 2;
create view public.checked_view as select id, a from public.checked where a > 0 with cascaded check option;
create view public.local_view with (check_option = local) as select * from public.checked_view where a < 100;
create recursive view public.numbers_to_ten (n) as values (1) union all select n + 1 from numbers_to_ten where n < 10;
create view public.no_column_view as select;
create view public.view_of_view as select v.*, s."Quo""ted ' col" as again from public.simple_view s
    left join lateral (select * from public.by_key k where k.id = s.id) v on true;
create view public.with_default as select id, name from public.plain;
alter view public.with_default alter column name set default 'from view';
create view public.star as select p.*, row_number() over (partition by mood order by id rows between 1 preceding and current row)
    from public.plain p;
create view public.old_names as select d.* from public.dropped_columns d;
alter table public.dropped_columns rename column c to "C renamed";
create view public.set_operations as
    (select 1 as a union all select 2 except select 3 order by 1 limit 5) intersect select "MiXed" from public."UPPER";
create view public.uses_types as select 'it''s'::public.mood as m, '[1,2)'::public.float_range as r,
    (row (1, 2, 3)::public.point3)."Z ""axis""" as z, e'a\nb\\c' as text, xmlelement(name "X y", 'a') as x,
    "Ext schéma".similarity('a', 'b') as s;
create view public.sampled as select id from only public.parent tablesample system (100) repeatable (1);

create materialized view public.stored as select id, name from public.plain where id < 20;
create unique index stored_id on public.stored (id);
create index stored_upper on public.stored (upper(name));
create materialized view public.stored_twice with (fillfactor = 80, autovacuum_enabled = false) as
    select count(*) as n, max(name) as name from public.stored;
create materialized view public.a_stored_before_its_source as select * from public.stored_twice;
create materialized view public.not_populated as select id from public.plain with no data;
create unique index not_populated_id on public.not_populated (id);
create materialized view public.over_not_populated as select 1 as one where false
    union all select id from public.not_populated with no data;
create materialized view "line
break"."mat
view" ("co
l") as select 'x
y'::text;
alter materialized view public.stored alter column name set storage external;
alter materialized view public.stored alter column name set statistics 50;
alter materialized view public.stored cluster on stored_id;
create view public.over_stored as select * from public.a_stored_before_its_source;
create materialized view public.stored_calls_function as select public.count_rows() as n;
