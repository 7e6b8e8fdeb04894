-- Indexes and constraints: expression, partial, include, operator classes, exclusion, deferrable, NOT VALID;
-- foreign keys in both directions of partitioned tables, self, composite, in cycles.
create index on public.plain (lower(name));
create index "Idx ""1"" \n" on public.plain using btree (name text_pattern_ops desc nulls last, amount) include (id, small)
    where amount > 1 and name <> 'it''s';
create index plain_gin on public.plain using gin (tags) with (fastupdate = off);
create index plain_trgm on public.plain using gin (name "Ext schéma".gin_trgm_ops);
create index plain_gist on public.plain using gist (name "Ext schéma".gist_trgm_ops (siglen = 32));
create index plain_brin on public.plain using brin (created, later) with (pages_per_range = 16);
create index plain_hash on public.plain using hash (ci);
create index plain_many on public.plain ((amount * 2), (public.add(id, 1)), upper(name) collate "C");
alter index public.plain_many alter column 1 set statistics 500;
create unique index plain_unique on public.plain (big) with (fillfactor = 60);
create unique index plain_nulls on public.plain (small) nulls not distinct;
create index ranges_spgist on public.ranges using spgist (r4);
cluster public.plain using plain_unique;
create index "line
break idx" on "line
break"."ta
ble" ("co
lumn");
create index "индекс-из-шестидесяти-трёх-байтов" on "Sch'ema ""1"" \n"."Ta""ble $1" ("col'2", "таблица-из-шестидесяти-трёх-байт-");

alter table "line
break"."ta
ble" add constraint "p
k" primary key ("co
lumn");
alter table public.parent add primary key (id);
alter table public.child add constraint child_unique unique (id) include (name);
alter table public."UPPER" add constraint "UPPER Key" primary key ("MiXed") deferrable initially deferred;
alter table public.upper add constraint upper_key unique nulls not distinct ("mixed") deferrable;
alter table public.options add constraint options_pkey primary key (id) with (fillfactor = 90);
alter table public.ranges add constraint no_overlap exclude using gist (r4 with &&) where (not isempty(r4));
alter table public.times add constraint mixed_exclusion exclude using gist (d with =, ts with <>) deferrable initially immediate;
alter table public.numbers add constraint "has $1 and 'quotes'" check (i4 is not null or n <> 'NaN'),
    add constraint not_valid_yet check (i2 > 0) not valid, add constraint valid_no_inherit check (true) no inherit;
alter table public.uses_row_type add constraint composite_check check ((one).id > 0 and one is not null);
alter table public.unlogged add constraint t_length check (length(t) < 1000);

create index by_list_note on public.by_list (note);
create index on public.by_list_ab (id);
create index by_range_payload on public.by_range using gin (payload);
create unique index by_hash_unique on public.by_hash_0 (id);
alter table public.by_hash_1_odd add primary key (id);
-- An index that only some partitions have yet is invalid on the parent.
create index half_attached on only public.by_hash (t);
create index half_attached_0 on public.by_hash_0 (t);
alter index public.half_attached attach partition public.half_attached_0;
alter table public.by_list add constraint by_list_check check (id > 0);
alter table public.by_list add constraint by_list_key unique (id, kind) deferrable;

create table public.tree (id integer primary key, up integer references public.tree deferrable initially deferred,
    root integer constraint "Tree ""root""" references public.tree (id) on delete cascade on update set null);
create table public.ring_a (id integer primary key, b integer, a2 integer, b2 text);
create table public.ring_b (id integer primary key, a integer references public.ring_a, code text, unique (id, code));
alter table public.ring_a add foreign key (b) references public.ring_b match full on update restrict on delete no action;
alter table public.ring_a add constraint composite foreign key (a2, b2) references public.ring_b (id, code)
    match simple on delete set null (b2) on update cascade deferrable;
alter table public.ring_a add constraint defaults foreign key (a2) references public.ring_a on delete set default (a2);
create table public.orphans (id integer, ring integer, tree integer);
insert into public.ring_a values (1), (2);
insert into public.ring_b values (1, 2, 'x'), (2, 1, 'y');
update public.ring_a set b = 3 - id, a2 = id, b2 = case id when 1 then 'x' else 'y' end;
insert into public.tree select g, nullif(g / 2, 0), 1 from generate_series(1, 500) g;
insert into public.orphans values (1, 99, 999), (2, 1, 1);
alter table public.orphans add constraint not_valid_fk foreign key (ring) references public.ring_a not valid;
alter table public.orphans add constraint not_valid_tree foreign key (tree) references public.tree (id) on delete cascade not valid;

-- Partitioned on either side, and on both.
create table public.points_to_partitioned (at timestamptz, n integer, constraint to_range foreign key (at, n)
    references public.by_range (at, n) on delete cascade);
insert into public.points_to_partitioned select at, n from public.by_range where n % 3 = 0;
alter table public.by_hash add constraint hash_to_tree foreign key (id) references public.tree (id);
alter table public.by_hash_1_odd add constraint only_here foreign key (id) references public.tree (id) on delete set null;
create table public.both_sides (at timestamptz not null, n integer, x integer,
    foreign key (at, n) references public.by_range (at, n)) partition by range (at);
create table public.both_sides_all partition of public.both_sides default;
insert into public.both_sides select at, n, n from public.by_range where n % 4 = 0;
alter table public.by_range add constraint self_range foreign key (at, n) references public.by_range;

alter table public.tree replica identity full;
alter table public.ring_a replica identity nothing;
alter table public.plain alter column big set not null;
alter table public.plain replica identity using index plain_unique;
alter table public.by_range_middle replica identity full;

create statistics public."Stats ""1""" (ndistinct, dependencies) on id, name from public.plain;
create statistics "select".mcv (mcv) on amount, mood from public.plain;
create statistics public.of_expression on (lower(name)), (amount * 2), id from public.plain;
create statistics public.one_expression on (i4 % 10) from public.numbers;
alter statistics public.of_expression set statistics 55;
analyze public.plain;
