-- Types, operators and index classes of extensions, in schemas of their own; with psql, as the owner.
set client_min_messages = warning;
create schema "ext 'a'";
create schema ext_b;
create extension citext schema "ext 'a'";
create extension hstore schema ext_b;
create extension pg_trgm schema public;
create extension ltree schema "ext 'a'";
create extension intarray;
create extension btree_gist schema ext_b;
create extension btree_gin;
create extension cube;
create extension "uuid-ossp" schema ext_b;
create extension unaccent;
comment on extension cube is 'a comment of ours';

create domain ext_b.mail as "ext 'a'".citext check (value operator("ext 'a'".~) '@');
create type ext_b.pair as (k "ext 'a'".citext, v ext_b.hstore);
create table people (
    id uuid primary key default ext_b.uuid_generate_v4(),
    mail ext_b.mail unique,
    nick "ext 'a'".citext[] not null default '{}',
    facts ext_b.hstore not null default 'a=>1'::ext_b.hstore,
    place "ext 'a'".ltree,
    tags int[],
    spot cube,
    pair ext_b.pair,
    during tstzrange
);
alter table people add constraint "no overlap"
    exclude using gist (id ext_b.gist_uuid_ops with =, during with &&) where (during is not null) deferrable initially deferred;
create index on people using gin ((mail::text) gin_trgm_ops);
create index on people using gist ((mail::text) gist_trgm_ops (siglen = 32));
create index on people using gist (place "ext 'a'".gist_ltree_ops (siglen = 100));
create index on people using gin (tags gin__int_ops);
create index on people using gin (facts ext_b.gin_hstore_ops);
create index on people using gist (spot gist_cube_ops);
create index on people using btree (facts ext_b.btree_hstore_ops);
create index on people (("ext 'a'".subpath(place, 0, 1)));
create view mails as select lower(mail::text) as mail, facts operator(ext_b.->) 'a' as a from people
    where mail operator("ext 'a'".=) 'USER 3@EXAMPLE.ORG'::"ext 'a'".citext or mail is not null;
create materialized view near as select p.id, count(*) from people p, people q
    where p.spot operator(public.<->) q.spot < 10 group by 1;
create function looks_like(a text, b text) returns real language sql stable as 'select public.similarity(a, b)';
create function by_body(a "ext 'a'".citext) returns boolean language sql immutable begin atomic
    select a operator("ext 'a'".=) 'x'::"ext 'a'".citext; end;
create table checked (a "ext 'a'".citext check (by_body(a) or a is not null),
    b text generated always as (lower(a::text)) stored);
create table by_citext (k "ext 'a'".citext collate "C" primary key, p int) partition by list (k);
create table by_citext_a partition of by_citext for values in ('A');
create table by_citext_rest partition of by_citext default;
insert into people (mail, nick, facts, place, tags, spot, pair, during)
    select 'User ' || i || '@Example.org', array['N' || i, null, '"quoted"']::"ext 'a'".citext[],
        ext_b.hstore('k' || i, nullif(i % 3, 0)::text), ('a.b' || i)::"ext 'a'".ltree, array[i, i + 1], cube(array[i, i / 2]),
        row('K' || i, ext_b.hstore('x', 'y'))::ext_b.pair, tstzrange('2020-01-01', null) from generate_series(1, 200) i;
insert into checked (a) values ('x'), ('Ünïcode'), (E'tab\t');
insert into by_citext values ('a', 1), ('b', 2), ('B ', 3);
refresh materialized view near;
