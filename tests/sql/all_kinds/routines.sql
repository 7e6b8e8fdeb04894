-- Functions, procedures, aggregates and free sequences.
create function public.add(a integer, b integer default 2) returns integer
    language sql immutable parallel safe strict as 'select a + b';
create function public.add(a text, b text default 'it''s') returns text language sql immutable as $$select a || b$$;
create function public."Body with $$ and $function$"() returns text language plpgsql cost 7 volatile security definer
    set search_path to pg_catalog, "Sch'ema ""1"" \n" set work_mem to '7MB' set application_name to 'it''s
two lines' as $weird$
begin
    -- $$ $function$ \ ' "
    return $function$ it's \n $$ $function$;
end
$weird$;
create function "select"."from"(out "order" integer, out "by" text) returns setof record
    language sql stable rows 7 as 'select 1, ''x''::text';
create function "select".table_result(n integer) returns table (id integer, "Na me" text)
    language sql as 'select g, g::text from generate_series(1, n) g';
create function public.variadic_one(sep text, variadic parts text[]) returns text
    language sql immutable as 'select array_to_string(parts, sep)';
create function public.inout_one(inout a integer, out b integer) language plpgsql as 'begin b := a; end';
create function public.polymorphic(anyelement, anyarray) returns anyelement language sql as 'select $1';
create function public.takes_types(public.mood, public."Dömäin", public.point3, int4range, public.float_range)
    returns public.nested language sql as 'select null::public.nested';
create function public.comments_out() returns integer language sql as '
select 1 --
-- Name: not an entry; Type: TABLE
--
';
create function public.atomic_one(x integer) returns integer language sql immutable
    begin atomic; select public.add(x, 1); end;
create function public.atomic_returns(x integer) returns integer language sql immutable return x * 2;
create function public.immutable_upper(t text) returns text language sql immutable parallel safe
    return pg_catalog.upper(t);
create function public.planner_cost(internal_name text) returns boolean language plpgsql
    cost 1000 parallel restricted called on null input as $$begin return internal_name is null; end$$;

create procedure public.do_it(a integer, inout b integer default 3) language plpgsql as $$begin b := a + b; end$$;
create procedure "select"."do"(variadic integer[]) language sql as '';
create procedure public.atomic_procedure(n integer) language sql begin atomic; select n; select n + 1; end;

create aggregate public.total(integer) (sfunc = public.add, stype = integer, initcond = '0', parallel = safe,
    combinefunc = public.add);
create function public.agg_step(state text, a text, b text) returns text language sql immutable
    as $$select coalesce(state, '') || a || b$$;
create aggregate public."Agg ""x"""(text, text) (sfunc = public.agg_step, stype = text);
create function public.moving_inverse(a integer, b integer) returns integer language sql immutable strict
    as 'select a - b';
create aggregate public.moving_total(integer) (sfunc = public.add, stype = integer, msfunc = public.add,
    minvfunc = public.moving_inverse, mstype = integer, initcond = '0', minitcond = '0');
create function public.final_text(state text) returns text language sql immutable as $$select '<' || state || '>'$$;
create aggregate public.with_final(text, text) (sfunc = public.agg_step, stype = text, finalfunc = public.final_text,
    finalfunc_modify = read_only, sspace = 100);
create aggregate public.variadic_agg(variadic text[]) (sfunc = array_cat, stype = text[], initcond = '{}');
create function public.ordered_final(state double precision[], direct double precision) returns double precision
    language sql immutable as 'select state[1] + direct';
create aggregate public.ordered_set(double precision order by double precision)
    (sfunc = array_append, stype = double precision[], finalfunc = public.ordered_final, initcond = '{}');

create sequence public.free_sequence as smallint start 5 increment 5 minvalue -10 maxvalue 1000 cache 7 cycle;
create sequence public."Descending ""seq""" increment -1 maxvalue -1 minvalue -9223372036854775808;
create sequence "select"."sequence";
select setval('public.free_sequence', 25, false), nextval('public."Descending ""seq"""');
