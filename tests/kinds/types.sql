-- Schemas, types, routines, sequences and default ACLs with names that break careless quoting. Run by a role that is
-- no superuser; roles "reader", "Odd ""Writer" and "granter" exist.
create schema "s""1";
create schema "Select";
create schema U&"line\000Abreak";
create schema "naïve ☃ schema";
comment on schema "s""1" is E'it''s a \\ comment\nwith lines; -- and more';
grant usage on schema "s""1" to reader, "Odd ""Writer" with grant option;
grant create on schema "Select" to public;
revoke all on schema public from public;
comment on schema public is 'changed';

create extension citext with schema "Select";
create extension pg_trgm with schema "s""1";

create collation "s""1"."Odd ""Coll" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation "Select".of_libc (lc_collate = 'C', lc_ctype = 'C.UTF-8');
create collation plain_c from "C";
comment on collation "s""1"."Odd ""Coll" is 'it''s a collation';
create domain uses_collation as text collate "s""1"."Odd ""Coll";

create type "s""1"."e num" as enum ('a', 'it''s', 'back\slash', '', 'ünïcode', E'new\nline');
alter type "s""1"."e num" add value 'between' before 'it''s';
comment on type "s""1"."e num" is 'an enum';
create type "Select"."select" as enum ();
revoke usage on type "Select"."select" from public;
grant usage on type "Select"."select" to reader with grant option;

create domain "Select"."Dom" as "s""1"."e num" default 'a' not null;
create domain "s""1".plain as varchar(12) collate "C" default 'x''y\z' constraint "odd ""check" check (length(value) > 1)
    constraint second check (value <> 'no;');
create domain "s""1".over_domain as "s""1".plain check (value like 'x%');
alter domain "s""1".over_domain add constraint later check (value <> 'later') not valid;
create domain amounts as numeric(10, 2)[] check (array_length(value, 1) < 5);
comment on domain "s""1".plain is 'a domain';
comment on constraint "odd ""check" on domain "s""1".plain is 'its check';
grant usage on type "s""1".plain to "Odd ""Writer";

create type "s""1"."comp""osite" as ("a b" int, "UPPER" text collate "C", odd text collate "s""1"."Odd ""Coll", sub "s""1".plain, list "s""1"."e num"[]);
alter type "s""1"."comp""osite" add attribute gone int;
alter type "s""1"."comp""osite" drop attribute gone;
create type empty_composite as ();
create type nested as (one "s""1"."comp""osite", many "s""1"."comp""osite"[]);
comment on type "s""1"."comp""osite" is 'a composite';
comment on column "s""1"."comp""osite"."a b" is 'its column';

create function "s""1"."diff;"(a float8, b float8) returns float8 language sql immutable strict as 'select a - b';
create type "Select"."float range" as range (subtype = float8, subtype_diff = "s""1"."diff;");
create type text_range as range (subtype = text, subtype_opclass = text_pattern_ops, collation = "C",
    multirange_type_name = "Many ""Texts");
comment on type text_range is 'a range';

create function "s""1"."f""n"("select" int default 3, variadic rest text[] default '{a,"b c"}'::text[]) returns setof text
    language plpgsql stable security definer cost 7 rows 55 parallel restricted
    set search_path to 'Select', "$user", 'od"d', pg_temp set work_mem to '8MB' set "application_name" to 'it''s \ odd'
    as $fn$ begin /* $_$ $$ $_a$ */ return query select E'\\' || 'q'; end $fn$;
comment on function "s""1"."f""n"(int, text[]) is 'a function';
revoke all on function "s""1"."f""n"(int, text[]) from public;
grant execute on function "s""1"."f""n"(int, text[]) to reader;
create function outs(in a int, out b int, out "C c" text) language sql as 'select a, ''x''';
create function as_table(a "s""1"."e num") returns table (id bigint, "na me" "s""1"."comp""osite") language sql
    as 'select 1, null::"s""1"."comp""osite"';
create function overloaded(int) returns int language sql as 'select 1';
create function overloaded(text) returns int language sql as 'select 2';
create function atomic("in" int) returns int language sql begin atomic select "in" + 1; select "in" * 2; end;
create function returns_sql(a text) returns text language sql immutable parallel safe return a || 'x';
create function polymorph(a anyelement, b anyarray) returns anyelement language sql as 'select a';
create function with_ext(a "Select".citext) returns boolean language sql as 'select true';
create function needs_ext() returns int language sql as 'select 1';
alter function needs_ext() depends on extension citext;
create procedure "s""1"."Proc"(a int, inout b text default 'x') language plpgsql as 'begin b := a; end';
create procedure two_out(in a int, out b int) language sql as 'select a';
create procedure atomic_proc(a int) language sql begin atomic select a; end;
comment on procedure "s""1"."Proc"(int, text) is 'a procedure';
grant execute on procedure two_out to reader;

create function add_up(state int8, a int) returns int8 language sql immutable as 'select state + a';
create function take_off(state int8, a int) returns int8 language sql immutable as 'select state - a';
create function finish(state int8, a int) returns text language sql as 'select state::text';
create aggregate "s""1"."sum ""up"(int) (sfunc = add_up, stype = int8, initcond = '0', combinefunc = int8pl,
    parallel = safe, msfunc = add_up, minvfunc = take_off, mstype = int8, minitcond = '-5', finalfunc = finish,
    finalfunc_extra, finalfunc_modify = shareable, mfinalfunc = finish, mfinalfunc_extra, sspace = 100, msspace = 7);
create aggregate counted(*) (sfunc = int8inc, stype = int8, initcond = '0');
create function middle_state(state float8[], a float8) returns float8[] language sql as 'select state || a';
create function middle_final(state float8[], fraction float8) returns float8 language sql as 'select state[1]';
create aggregate middle(fraction float8 order by a float8) (sfunc = middle_state, stype = float8[],
    finalfunc = middle_final, initcond = '{}');
create function rank_state(state float8[], a float8) returns float8[] language sql as 'select state || a';
create function rank_final(state float8[], a float8) returns bigint language sql as 'select 1::bigint';
create aggregate ranked(a float8 order by b float8) (sfunc = rank_state, stype = float8[], finalfunc = rank_final,
    hypothetical);
create aggregate highest(int) (sfunc = int4larger, stype = int, sortop = >, combinefunc = int4larger);
comment on aggregate middle(float8 order by float8) is 'an ordered-set aggregate';
comment on aggregate counted(*) is 'an aggregate of nothing';
revoke all on function middle(float8, float8) from public;
grant execute on function middle(float8, float8) to reader;

create sequence "s""1"."seq ""1" as smallint increment by -2 minvalue -100 maxvalue 50 start with 10 cache 3 cycle;
create sequence plain_sequence;
create sequence down increment by -1;
create sequence set_aside start 5;
create sequence int_sequence as int minvalue 0;
create unlogged sequence unlogged_sequence;
select setval('plain_sequence', 41), setval('set_aside', 17, false), nextval('down'), setval('"s""1"."seq ""1"', 50);
comment on sequence down is 'downwards';
grant usage, select on sequence plain_sequence to reader with grant option;
grant update on sequence plain_sequence to "Odd ""Writer";

alter default privileges grant select on tables to reader;
alter default privileges in schema "s""1" grant all on sequences to "Odd ""Writer" with grant option;
alter default privileges revoke execute on functions from public;
alter default privileges grant usage on types to reader;
alter default privileges grant usage on schemas to reader;
