-- Comments on every kind of object, with everything that may end a literal or a line.
comment on schema "Sch'ema ""1"" \n" is 'it''s \ $$ "x"
-- second line; drop table x;';
comment on schema public is 'standard, but said differently';
comment on extension pg_trgm is 'our own words';
comment on type public.mood is 'enum';
comment on type public.point3 is E'composite \\ \n\n--\n-- Name: fake; Type: TABLE\n--\n';
comment on column public.point3."Z ""axis""" is 'attribute';
comment on type public.float_range is 'range';
comment on domain public."Dömäin" is 'domain';
comment on constraint c1 on domain public."Dömäin" is 'domain constraint';
comment on function public.add(integer, integer) is 'function';
comment on function public.variadic_one(text, text[]) is 'variadic';
comment on procedure public.do_it(integer, integer) is 'procedure';
comment on aggregate public."Agg ""x"""(text, text) is 'aggregate';
comment on aggregate public.ordered_set(double precision order by double precision) is 'ordered set aggregate';
comment on sequence public.free_sequence is 'sequence';
comment on sequence public.plain_id_seq is 'owned sequence';
comment on table public.plain is 'table';
comment on column public.plain.name is 'column \. it''s';
comment on column public.plain.upper_name is 'generated column';
comment on column public.identities.a is 'identity';
comment on table "line
break"."ta
ble" is 'line
break';
comment on column "line
break"."ta
ble"."co
lumn" is 'x';
comment on table public.by_hash_1 is 'sub-partitioned';
comment on column public.by_hash_1_odd.t is 'column of a partition';
comment on table public.child is 'inherits';
comment on column public.child.id is 'inherited column';
comment on view public.simple_view is 'view';
comment on column public.simple_view."Quo""ted ' col" is 'view column';
comment on materialized view public.stored is 'materialized view';
comment on column public.stored.name is 'its column';
comment on index public.plain_gin is 'index';
comment on index public.stored_upper is 'index of a materialized view';
comment on index public.plain_pkey is 'index of a primary key';
comment on constraint plain_pkey on public.plain is 'primary key';
comment on constraint no_overlap on public.ranges is 'exclusion';
comment on constraint "has $1 and 'quotes'" on public.numbers is 'check';
comment on constraint composite on public.ring_a is 'foreign key';
comment on constraint to_range on public.points_to_partitioned is 'foreign key to a partitioned table';
comment on constraint hash_to_tree on public.by_hash is 'foreign key of a partitioned table';
comment on trigger "Tri""gger $1" on public.plain is 'trigger';
comment on trigger on_partitions on public.by_hash is 'trigger of a partitioned table';
comment on trigger instead on public.simple_view is 'trigger of a view';
comment on rule "Rule ""1""" on public.empty_table is 'rule';
comment on policy "Poli""cy" on public.plain is 'policy';
comment on statistics public."Stats ""1""" is 'statistics';
comment on column "Sch'ema ""1"" \n"."Ta""ble $1"."col\3" is '\';
comment on column public.by_range.payload is '';
