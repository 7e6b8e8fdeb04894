-- Relations that break careless code. Run by a role that is no superuser; roles r2, "r ""o" and "public x" exist.
create schema "a ""b.c"; create schema s2;
create extension btree_gist schema s2;
create table par (a int not null default 1, b int default 2, c text collate "C", constraint pc check (a>0), constraint pni check (b < 5) no inherit);
create table kid3 () inherits (par); alter table kid3 alter b set not null, alter c set default 'k', alter a set statistics 3;
create table kid4 (z int, constraint pc check (a>0), constraint own check (z>a)) inherits (par);
create table kid5 (c text collate "C" default null, a int) inherits (par);
create table gkid () inherits (kid4); alter table gkid alter a drop default, alter b drop default;
alter table par add constraint pnv check (a < 1000) not valid;
alter table kid4 add constraint knv check (a < 99) not valid;
create table zero (); create table zerokid () inherits (zero); 
create table p1 (x int, c int); alter table p1 inherit zero;
create table "t""1
x" ("c""1" int not null, "c
2" text, "naïve ☃" numeric(10,3) default 1.5, "select" timestamptz(3) default now(), arr int[] default '{}', iv interval day to second(2), vc varchar(7) default 'it''s \ "q"', constraint "k""1" primary key ("c""1"), constraint "u
2" unique ("c
2") include (arr) with (fillfactor=33) deferrable initially deferred, constraint "c""k" check ("select" > '2000-01-01'::timestamptz), constraint "ex""c" exclude using gist ("c""1" with =, int4range("c""1", "c""1"+1) with &&) where ("c""1" > 3));
create index "i""1" on "t""1
x" using btree ("c
2" text_pattern_ops desc nulls last, lower("c
2") collate "C") include (vc);
create index part1 on "t""1
x" (arr) where "select" is not null;
alter index "i""1" alter column 2 set statistics 44; alter table "t""1
x" cluster on "i""1";
create unique index "ri""" on "t""1
x" ("c""1" desc); alter table "t""1
x" replica identity using index "ri""";
alter table "t""1
x" alter "c
2" set (n_distinct=-0.5, n_distinct_inherited=7), alter arr set storage main, alter vc set compression pglz;
grant select ("c""1"), insert ("c
2") on "t""1
x" to r2;
create table "a ""b.c".rp (k text collate "C", n int, d date default '2020-01-01', g int generated always as (n * 2) stored) partition by range (k collate "POSIX" text_pattern_ops, (n + 1), d);
create table "a ""b.c"."rp 1" partition of "a ""b.c".rp for values from ('a''b', minvalue, minvalue) to ('m', 5, '2020-01-01');
create table s2."rp 2" partition of "a ""b.c".rp (n default 7, constraint loc check (n > -100)) for values from ('m', 5, '2020-01-01') to (maxvalue, maxvalue, maxvalue) partition by hash (n);
create table s2.h0 partition of s2."rp 2" for values with (modulus 4, remainder 0);
create table s2.h1 partition of s2."rp 2" for values with (modulus 4, remainder 1); alter table s2.h1 alter d drop default;
create table s2.h2 partition of s2."rp 2" for values with (modulus 4, remainder 2) partition by list (n);
create table s2.h2n partition of s2.h2 for values in (null, 1, 2, 3,4,5,6);
create index "i rp" on "a ""b.c".rp (n, lower(k)); comment on index "a ""b.c"."i rp" is 'x';
create table s2.h3 partition of s2."rp 2" for values with (modulus 4, remainder 3);
create index onlyidx on only "a ""b.c".rp (g); create index h0g on s2.h0 (g);
alter table "a ""b.c".rp add constraint nvp check (n < 100000) not valid;
alter table s2.h0 add constraint nvl check (n < 5000) not valid;
create table l (id int, r text, primary key (id, r)) partition by list (r);
create table l_eu partition of l for values in ('e''u'); create table l_us partition of l for values in ('us', null); create table l_d partition of l default;
create table l2 (id int not null, r text not null, val int); alter table l2 add constraint weird_name primary key (id, r); alter table l_d rename to l_def;
alter table l add unique (r, id); create unique index uidx on l (id, r) ; 
create table lx (id int not null, r text not null, unique (id, r)); alter table l attach partition lx for values in ('xx');
create table ref (id int, r text, ref int, rr text) partition by range (id);
create table ref1 partition of ref for values from (0) to (10); create table ref2 partition of ref for values from (10) to (20) partition by range (id);
create table ref21 partition of ref2 for values from (10) to (15); create table ref22 (rr text, junk int, ref int, r text, id int); alter table ref22 drop junk; alter table ref2 attach partition ref22 for values from (15) to (20);
alter table ref add constraint fkp foreign key (ref, rr) references l (id, r) match full on update cascade on delete set null (ref) deferrable;
alter table ref1 add constraint fkl foreign key (id) references "t""1
x" ("c""1");
alter table ref22 add constraint fkp2 foreign key (ref, rr) references l (id, r) not valid;
create table selfp (id int primary key, p int references selfp on delete set null) partition by range (id);
create table selfp1 partition of selfp for values from (0) to (10); create table selfp2 partition of selfp default;
comment on constraint fkp on ref is 'fkc';
create function trf() returns trigger language plpgsql as 'begin return null; end';
create trigger "tr""g" after update of n, k on "a ""b.c".rp for each row when (old.n is distinct from new.n) execute function trf('a', E'b\\c', '');
alter table s2."rp 2" disable trigger "tr""g"; alter table s2.h0 enable replica trigger "tr""g"; alter table s2.h2 enable always trigger "tr""g";
create trigger st after delete on par referencing old table as o for each statement execute function trf(); alter table par disable trigger st;
alter table ref disable trigger user;
create view rv as with recursive x(n) as (select 1 union all select n+1 from x where n < 3) select n as "q""c", n::text collate "C" as t from x;
create view pkv as select l.*, "c""1" from l, "t""1
x"; 
create view chk with (security_barrier=false) as select * from p1 where c > 1 with cascaded check option;
create table base (id int primary key, n text);
create view cyc1 with (security_invoker=true) as select id, n collate "C" as n, 1.5::numeric(5,2) as d from base group by id; 
create function cycf() returns setof cyc1 language sql as 'select * from cyc1'; create view cyc2 as select * from cycf();
create or replace view cyc1 with (security_invoker=true) as select id, n collate "C" as n, d from cyc2 where id > 1;
alter view cyc1 alter n set default 'dd'; comment on column cyc1.n is 'cc'; grant select (n) on cyc1 to r2; create rule cr as on insert to cyc1 do instead insert into base values (new.id, new.n); create trigger ct instead of update on cyc1 for each row execute function trf();
create view self_v as select 1 as a; create or replace view self_v as select 1 as a; create view sv2 as select * from self_v; 
create materialized view "m v" as select id, n, count(*) c from base group by id; create index on "m v" (c); create unique index mvu on "m v" (id); alter materialized view "m v" cluster on mvu; comment on index mvu is 'u';
create materialized view mm as select "m v".* from "m v", cyc2 where cyc2.id = "m v".id with no data;
create table loop2 (id int); create function f2(loop2) returns int language sql as 'select 1'; alter table loop2 add y int; alter table loop2 alter y set default f2(null::loop2); alter table loop2 add constraint c2 check (f2(loop2.*) > 0) not valid;
create function f3() returns int language sql begin atomic select count(*)::int from loop2; end; alter table loop2 alter id set default f3();
create table genf (a int, b text generated always as (coalesce('x' || a::text, 'y')) stored not null) with (autovacuum_vacuum_threshold=5, toast.vacuum_truncate=false);
create index mvdep on base (n); alter index mvdep depends on extension btree_gist; alter materialized view "m v" depends on extension btree_gist; alter trigger st on par depends on extension btree_gist; 
create policy pol on base as permissive for all to r2, public using (id in (select id from base)) with check (exists (select from l));
alter table base force row level security;
create table "PUBLIC" (a int);  create policy "p""" on "PUBLIC" for select to "public x" using (true);
create statistics s2.xs on a, (b+1), lower(c) from par; comment on statistics s2.xs is 'sx'; alter statistics s2.xs set statistics 0;
create statistics mvst (dependencies) on id, n from "m v";
create unlogged table ul (i int generated by default as identity) partition by list (i); create unlogged table ul1 partition of ul for values in (1);
create rule "_x" as on insert to base where new.id > 3 do instead nothing; create rule y as on update to base do also (delete from l); alter table base enable always rule y;
create table nnd (a int, b int, unique nulls not distinct (a, b), unique (b) deferrable); comment on constraint nnd_a_b_key on nnd is 'nn'; create unique index nndi on nnd (a) nulls not distinct;
create temp table tmp (a int);
create type ct as (a int, "b c" text); create table ty of ct (primary key (a), "b c" with options default 'x' not null, check (a > 1)); create table ty2 of ct; alter table ty2 alter a set default 4;
create domain d1 as text collate "C"; create table dt (a d1, b d1 collate "POSIX", c d1 collate "default");
create table wide (x numeric, y bpchar, z "char", b bit(3), vb bit varying, t time(2) with time zone, j jsonb default '{"a": [1]}'::jsonb);
create table chld (extra int) inherits (base); 
alter table par enable row level security, no force row level security;
create sequence owned; create table ow (a int default nextval('owned')); alter sequence owned owned by ow.a;
create table ident (i int generated by default as identity, j bigint generated always as identity (start -5 increment -1 minvalue -100 maxvalue -1 cycle cache 3)) ;

insert into l values (1, 'e''u'), (2,'us'), (3,'zz'), (4,'xx'); insert into "t""1
x" ("c""1", vc) select g, 'v' from generate_series(1,50) g;
alter table ref1 drop constraint fkl; insert into ref select g, 'r', case when g < 12 then 1 + g % 4 end, case when g < 12 then (array['e''u','us','zz','xx'])[1 + g % 4] end from generate_series(0,19) g;

insert into selfp values (1,null),(20,1),(2,20);
insert into base values (1,'a'),(2,'b'); 
insert into "a ""b.c".rp (k, n) values ('b', 3), ('z', 5), ('zz', 6);
insert into par values (5,1,'x'); insert into kid3 values (6, 2,'y');
insert into genf values (4); insert into loop2 values (1, 2); insert into zero default values; insert into zero default values; refresh materialized view "m v";
